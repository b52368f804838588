"""Frogs: in profile, from above, or from the front."""

import numpy as np

from trainables.data.synthetic.outlines import (
    Measures,
    Part,
    Ranges,
    curve,
    ellipse,
    mirrored,
    offset,
    tube,
)

# Lengths in body lengths; `above` and `front` are chances.
FROG: Ranges = {
    "above": (0.3, 0.3),
    "front": (0.25, 0.25),
    "plump": (0.3, 0.4),
    "rise": (0.15, 0.55),
    "eye": (0.1, 0.14),
    "thigh": (0.26, 0.36),
    "limb": (0.055, 0.085),
    "snout": (0.18, 0.28),
    "stretch": (0.0, 1.0),
}


def frog(measures: Measures, pose: Measures) -> list[Part]:
    """Sitting in profile, seen from above, or from the front."""
    if pose["view"] < measures["above"]:
        return _from_above(measures, pose)
    if pose["view"] < measures["above"] + measures["front"]:
        return _from_front(measures)
    return _in_profile(measures)


def _in_profile(m: Measures) -> list[Part]:
    plump, rise = m["plump"], m["rise"]
    limb = m["limb"]
    head = np.array([0.42, 0.5 * plump + 0.35 * rise + 0.1])
    parts = [
        Part(tube([(0.25, 0.25), (0.38, 0.12), (0.42, -0.12)], [0.09, limb, limb]), "body", 0.7)
    ]
    body = curve(
        [
            (-0.55, 0.0),
            (-0.38, 0.55 * plump),
            (0.0, plump + 0.4 * rise),
            offset(head, 0.0, 0.12),
            offset(head, m["snout"], -0.02),
            offset(head, 0.6 * m["snout"], -0.16),
            (0.3, 0.0),
            (-0.1, -0.1),
        ]
    )
    parts.append(Part(body, "body"))
    parts.append(
        Part(
            curve(
                [
                    offset(head, m["snout"] - 0.03, -0.07),
                    offset(head, 0.0, -0.18),
                    (0.25, -0.02),
                    (0.0, -0.04),
                    (0.2, 0.15),
                    offset(head, -0.1, -0.12),
                ]
            ),
            "pale",
        )
    )
    mouth = tube([offset(head, m["snout"], -0.04), offset(head, -0.08, -0.1)], [0.018, 0.018])
    parts.append(Part(mouth, "dark"))
    knee = np.array([0.02, 0.3 * m["thigh"] + 0.18])
    ankle = np.array([-0.4, -0.08])
    parts.append(Part(tube([(-0.42, 0.12), knee], [0.6 * m["thigh"], 0.4 * m["thigh"]]), "second"))
    parts.append(Part(tube([knee, ankle], [0.1, limb]), "second", 0.85))
    parts.append(
        Part(
            tube([ankle, (0.08, -0.14), (0.18, -0.15)], [limb, 0.8 * limb, 0.4 * limb]),
            "second",
            0.95,
        )
    )
    parts.append(
        Part(
            tube(
                [(0.2, 0.2), (0.24, 0.02), (0.3, -0.14), (0.42, -0.15)],
                [0.1, limb, limb, 0.4 * limb],
            ),
            "body",
            0.92,
        )
    )
    eye = offset(head, 0.02, 0.14)
    parts.append(Part(ellipse(eye, (1.15 * m["eye"], m["eye"])), "body", 1.1))
    pupil = offset(eye, 0.02, 0.01)
    parts.append(Part(ellipse(pupil, (0.72 * m["eye"], 0.68 * m["eye"])), "iris"))
    return [*parts, Part(ellipse(pupil, (0.5 * m["eye"], 0.28 * m["eye"])), "dark")]


def _from_above(m: Measures, pose: Measures) -> list[Part]:
    """Head up; the hind legs folded beside the body or stretched behind it."""
    plump, limb, out = m["plump"], m["limb"], m["stretch"]
    knee = np.array([0.42 + 0.2 * out, -0.18 - 0.35 * out])
    ankle = np.array([0.24 + 0.2 * out, -0.48 - 0.5 * out])
    right = [
        Part(tube([(0.12, -0.4), knee], [0.14, 0.1]), "second", 0.9),
        Part(tube([knee, ankle], [0.1, limb]), "second", 0.9),
        Part(tube([ankle, offset(ankle, 0.24, -0.06)], [0.7 * limb, 1.6 * limb]), "second", 0.8),
        Part(tube([(0.2, 0.2), (0.46, 0.22), (0.5, 0.46)], [0.09, limb, 0.8 * limb]), "body", 0.85),
    ]
    body = curve(
        [
            (0.0, 0.62),
            (0.8 * plump, 0.42),
            (0.9 * plump, 0.15),
            (plump, -0.2),
            (0.5 * plump, -0.52),
            (-0.5 * plump, -0.52),
            (-plump, -0.2),
            (-0.9 * plump, 0.15),
            (-0.8 * plump, 0.42),
        ]
    )
    eye = np.array([0.68 * plump, 0.38])
    eyes = [
        Part(ellipse(eye, (m["eye"], m["eye"])), "body", 1.15),
        Part(ellipse(offset(eye, 0.02, 0.0), (0.6 * m["eye"], 0.6 * m["eye"])), "dark"),
    ]
    parts = right + mirrored(right) + [Part(body, "body")]
    parts.append(Part(tube([(0.0, 0.45), (0.0, -0.45)], [0.05, 0.04]), "pale", 0.9))
    parts += eyes + mirrored(eyes)
    turn = 5.0 * (pose["turn"] - 0.5)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return [part._replace(outline=part.outline @ spin * (1.0, 0.85)) for part in parts]


def _from_front(m: Measures) -> list[Part]:
    limb, wide = m["limb"], 0.32 + 0.3 * m["plump"]
    right = [
        Part(
            tube([(0.3, 0.05), (wide + 0.14, 0.12), (wide + 0.1, -0.3)], [0.16, 0.14, limb]),
            "second",
            0.85,
        ),
        Part(
            tube([(wide + 0.02, -0.34), (wide + 0.26, -0.36)], [0.8 * limb, 1.2 * limb]), "second"
        ),
        Part(tube([(0.18, -0.05), (0.24, -0.2), (0.16, -0.38)], [0.1, limb, limb]), "body", 0.9),
    ]
    body = curve(
        [
            (0.0, 0.16),
            (wide, 0.02),
            (0.85 * wide, -0.26),
            (0.0, -0.36),
            (-0.85 * wide, -0.26),
            (-wide, 0.02),
        ]
    )
    head = curve(
        [
            (0.0, 0.36),
            (0.34, 0.3),
            (0.46, 0.12),
            (0.25, -0.04),
            (-0.25, -0.04),
            (-0.46, 0.12),
            (-0.34, 0.3),
        ]
    )
    eye = np.array([0.29, 0.37])
    eyes = [
        Part(ellipse(eye, (1.1 * m["eye"], 1.1 * m["eye"])), "body", 1.1),
        Part(ellipse(eye, (0.75 * m["eye"], 0.72 * m["eye"])), "iris"),
        Part(ellipse(eye, (0.52 * m["eye"], 0.3 * m["eye"])), "dark"),
    ]
    parts = right[:2] + mirrored(right[:2])
    parts += [Part(body, "body", 0.85), Part(ellipse((0.0, -0.12), (0.25, 0.2)), "pale")]
    parts += [right[2], *mirrored([right[2]]), Part(head, "body")]
    parts.append(
        Part(
            curve(
                [(0.4, 0.1), (0.2, 0.04), (-0.2, 0.04), (-0.4, 0.1), (-0.2, -0.05), (0.2, -0.05)]
            ),
            "pale",
        )
    )
    parts.append(
        Part(tube([(-0.42, 0.13), (0.0, 0.05), (0.42, 0.13)], [0.02, 0.024, 0.02]), "dark")
    )
    return parts + eyes + mirrored(eyes)
