"""Birds: perched, flapping past, or soaring."""

import numpy as np

from trainables.data.synthetic.outlines import (
    Measures,
    Part,
    Points,
    Ranges,
    curve,
    ellipse,
    mirrored,
    offset,
    polar,
    tube,
)

# Lengths in body lengths, angles in radians; `flies` and `soars` are chances.
BIRD: Ranges = {
    "flies": (0.26, 0.26),
    "soars": (0.16, 0.16),
    "plump": (0.25, 0.36),
    "posture": (0.15, 1.0),
    "neck": (-0.1, 0.5),
    "head": (0.15, 0.21),
    "beak": (0.12, 0.32),
    "beak_width": (0.035, 0.075),
    "legs": (0.12, 0.6),
    "tail": (0.25, 0.6),
    "tail_width": (0.07, 0.14),
    "wing": (0.75, 1.2),
    "chord": (0.28, 0.46),
    "wing_angle": (-0.7, 1.3),
}


def bird(measures: Measures, pose: Measures) -> list[Part]:
    """Perched, flapping past, or soaring with both wings spread."""
    if pose["view"] < measures["flies"]:
        return _flapping(measures, pose)
    if pose["view"] < measures["flies"] + measures["soars"]:
        return _soaring(measures, pose)
    return _perched(measures, pose)


def is_flying(measures: Measures, pose: Measures) -> bool:
    """Whether `bird` draws it in the air."""
    return pose["view"] < measures["flies"] + measures["soars"]


def _perched(m: Measures, pose: Measures) -> list[Part]:
    lean = m["posture"]
    chest, rump = polar(0.45, lean), polar(-0.5, lean)
    plump = m["plump"]
    parts = []
    for shift, shade in ((0.08, 0.75), (-0.04, 1.0)):
        hip = np.array([shift - 0.02, -0.6 * plump])
        foot = offset(hip, 0.0, -0.6 * plump - m["legs"])
        parts.append(Part(tube([hip, foot], [0.035, 0.025]), "beak", 0.8 * shade))
        toes = tube([offset(foot, -0.06, 0.0), offset(foot, 0.12, 0.0)], [0.025, 0.02])
        parts.append(Part(toes, "beak", 0.8 * shade))
    tail = rump + polar(-m["tail"], lean * 0.8)
    parts.append(Part(tube([0.6 * rump, tail], [0.1, m["tail_width"]]), "wing", 0.85))
    cos, sin = np.cos(lean), np.sin(lean)
    body = curve(
        [
            (-0.56, 0.04),
            (-0.25, 0.75 * plump),
            (0.2, plump),
            (0.5, 0.6 * plump),
            (0.58, 0.0),
            (0.45, -0.75 * plump),
            (0.1, -plump),
            (-0.3, -0.6 * plump),
        ]
    )
    turned = body @ np.array([[cos, sin], [-sin, cos]])
    parts.append(Part(turned, "body"))
    parts.append(Part(ellipse(polar(0.25, lean - 0.9), (0.26, 0.55 * plump), lean), "pale"))
    wing = [
        (0.3, 0.1),
        (0.1, 0.55 * plump),
        (-0.35, 0.3 * plump),
        (-0.75, 0.0),
        (-0.3, -0.4 * plump),
        (0.15, -0.45 * plump),
    ]
    parts.append(Part(curve(wing) @ np.array([[cos, sin], [-sin, cos]]), "wing", 0.92))
    neck = max(0.0, m["neck"])
    head = offset(chest, 0.0, 0.08) + polar(0.12 + neck, 0.5 * (lean + 1.5))
    if neck > 0.05:
        parts.append(
            Part(tube([0.8 * chest, (chest + head) / 2, head], [0.16, 0.08, 0.09]), "body")
        )
    return parts + _bird_head(m, head, 0.5 * (pose["nod"] - 0.6))


def _flapping(m: Measures, pose: Measures) -> list[Part]:
    plump = 0.72 * m["plump"]
    parts = [_side_wing(m, m["wing_angle"] + 0.45, shade=0.72)]
    parts.append(
        Part(
            tube([(-0.35, 0.0), (-0.5 - m["tail"], 0.02)], [0.08, 1.3 * m["tail_width"]]),
            "wing",
            0.85,
        )
    )
    body = curve(
        [
            (-0.55, 0.03),
            (-0.2, 0.7 * plump),
            (0.25, 0.85 * plump),
            (0.58, 0.1),
            (0.3, -plump),
            (-0.2, -0.7 * plump),
        ]
    )
    parts.append(Part(body, "body"))
    parts.append(Part(ellipse((0.1, -0.45 * plump), (0.36, 0.4 * plump)), "pale"))
    reach = max(0.0, m["neck"]) * 0.6
    head = np.array([0.6 + reach, 0.1 + 0.1 * reach])
    if reach > 0.03:
        parts.append(Part(tube([(0.4, 0.0), head], [0.14, 0.09]), "body"))
    parts += _bird_head(m, head, 0.2 * (pose["nod"] - 0.5))
    return [*parts, _side_wing(m, m["wing_angle"], shade=1.0)]


def _side_wing(m: Measures, angle: float, shade: float) -> Part:
    """A wing rooted at the shoulder, raised (positive) or lowered."""
    span, chord = m["wing"], m["chord"]
    lift = 1.25 if angle > 0 else -1.2
    wing = [
        (0.28, 0.05),
        (0.22, 0.35 * span),
        (-0.02, span),
        (-0.16, 0.85 * span),
        (-0.22 - 0.2 * chord, 0.5 * span),
        (0.2 - chord, 0.05),
    ]
    bend = 0.5 * (angle - lift)
    cos, sin = np.cos(bend), np.sin(bend)
    outline = curve(wing) * (1.0, np.sign(lift) * (0.55 + 0.45 * min(1.0, abs(angle))))
    return Part(outline @ np.array([[cos, sin], [-sin, cos]]), "wing", shade)


def _soaring(m: Measures, pose: Measures) -> list[Part]:
    """From below or above: a bent wing on each side of a short body, a fan of a tail."""
    span, chord = 0.95 * m["wing"], m["chord"]
    droop = 0.5 * (m["wing_angle"] - 0.3)
    wing = [
        (0.0, 0.3),
        (0.45 * span, 0.36 + 0.25 * droop),
        (span, 0.0 + droop),
        (0.97 * span, -0.1 + droop),
        (0.5 * span, 0.22 - 0.75 * chord),
        (0.0, 0.12 - chord),
    ]
    right = [Part(curve(wing), "wing", 0.95)]
    tail = 0.6 * m["tail"] + 0.45
    parts = right + mirrored(right)
    parts.append(
        Part(tube([(0.0, -0.2), (0.0, -tail)], [0.08, 1.6 * m["tail_width"]]), "wing", 0.8)
    )
    parts.append(Part(ellipse((0.0, 0.02), (0.42 * m["plump"] + 0.02, 0.46)), "body"))
    head = np.array([0.0, 0.45 + 0.4 * max(0.0, m["neck"])])
    parts.append(Part(tube([(0.0, 0.3), head], [0.1, 0.09]), "body"))
    parts.append(Part(ellipse(head, (0.1, 0.12)), "body"))
    beak = offset(head, 0.0, 0.05)
    tip = offset(beak, 0.05 * (pose["nod"] - 0.5), 0.08 + 0.6 * m["beak"])
    parts.append(Part(tube([beak, tip], [0.05, 0.0]), "beak"))
    turn = 1.6 * (pose["turn"] - 0.5)
    squash = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * (1.0, 0.8)
    return [part._replace(outline=part.outline @ squash) for part in parts]


def _bird_head(m: Measures, centre: Points, angle: float) -> list[Part]:
    size = m["head"]
    beak = centre + polar(0.7 * size, angle)
    eye = centre + polar(0.4 * size, angle + 0.7)
    return [
        Part(
            tube(
                [beak, beak + polar(0.3 * size + m["beak"], angle - 0.1)],
                [m["beak_width"] + 0.02, 0.0],
            ),
            "beak",
        ),
        Part(ellipse(centre, (size, 0.9 * size), angle), "head"),
        Part(ellipse(eye, (0.2 * size, 0.2 * size)), "dark"),
    ]
