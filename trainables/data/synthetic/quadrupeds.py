"""Cats, deer, dogs and horses: one anatomy, measured differently, in three views."""

import numpy as np

from trainables.data.synthetic.outlines import (
    Measures,
    Part,
    Points,
    curve,
    ellipse,
    mirrored,
    offset,
    polar,
    tube,
)

_HANGING = 0.6  # an ear lift (radians) below this hangs


def quadruped(measures: Measures, pose: Measures) -> list[Part]:
    """A cat, deer, dog or horse, or what lies between, in the view that the pose picks."""
    if pose["view"] < measures["sits"]:
        return _sitting(measures, pose)
    if pose["view"] < measures["sits"] + measures["faces"]:
        return _face_on(measures, pose)
    return _side(measures, pose)


def _side(m: Measures, pose: Measures) -> list[Part]:
    """Standing or walking in profile, foreshortened by the turn, facing +x."""
    length = 0.74 + 0.26 * min(1.0, 1.6 * pose["turn"])
    legs, depth = m["legs"], m["depth"]
    top = legs + depth
    stride = 0.75 * (pose["stride"] - 0.5)
    parts = [_tail(m, pose, np.array([0.0, legs + 0.82 * depth]))]
    parts += _leg(m, 0.1 * length, 0.6 - stride, hind=True, shade=0.68)
    parts += _leg(m, 0.9 * length, stride + 0.25, hind=False, shade=0.68)
    trunk = curve(
        [
            (-0.07 * length, legs + 0.72 * depth),
            (0.12 * length, top),
            (0.5 * length, top - 0.07 * depth),
            (0.86 * length, top + 0.04 * depth),
            (1.07 * length, legs + 0.68 * depth),
            (0.94 * length, legs + 0.08 * depth),
            (0.5 * length, legs + 0.02 * depth),
            (0.15 * length, legs + 0.16 * depth),
        ]
    )
    parts.append(Part(trunk, "body"))
    parts.append(Part(ellipse((0.5 * length, legs + 0.1 * depth), (0.34, 0.07)), "pale", 0.92))
    if m["rump"] > 0.0:
        parts.append(Part(ellipse((-0.02, legs + 0.72 * depth), (0.07, 0.12)), "pale"))
    parts += _leg(m, 0.12 * length, 0.6 + stride, hind=True, shade=0.96)
    parts += _leg(m, 0.93 * length, -stride - 0.1, hind=False, shade=0.96)

    angle = m["neck_angle"]
    muzzle_angle = m["muzzle_angle"]
    if pose["graze"] < m["grazes"]:
        angle, muzzle_angle = -0.55 - 0.5 * pose["nod"], -1.1
    shoulder = np.array([0.93 * length, legs + 0.76 * depth])
    nape = shoulder + polar(m["neck"] + 0.1, angle)
    parts += _neck(m, shoulder, nape)
    return parts + _head(m, nape, muzzle_angle + 0.4 * (pose["nod"] - 0.5))


def _sitting(m: Measures, pose: Measures) -> list[Part]:
    """Upright on the haunches, facing +x."""
    lean = 0.95 + 0.3 * (pose["stride"] - 0.5)
    chest = polar(0.72, lean)
    parts = [_tail(m, pose, np.array([-0.12, 0.1]), lying=True)]
    trunk = tube([(-0.02, 0.02), 0.5 * chest, chest], [0.22, 0.24, m["neck_width"] + 0.02])
    for shift, shade in ((-0.06, 0.7), (0.0, 0.95)):
        foot = (0.42 + shift, 0.0)
        front = tube([0.85 * chest, (0.4 + shift, 0.25), foot], [0.11, m["leg_width"], 0.06])
        parts.append(Part(front, "body", shade))
        if shift:
            parts.append(Part(trunk, "body"))
    parts.append(Part(ellipse((0.02, 0.17), (0.23, 0.2)), "body", 0.93))
    parts.append(Part(ellipse((0.2, 0.02), (0.13, 0.05)), "body", 0.85))
    parts.append(Part(tube([0.95 * chest, offset(0.6 * chest, 0.1, 0.0)], [0.1, 0.05]), "pale"))
    nape = chest + polar(m["neck"] + 0.05, 1.1)
    parts += _neck(m, 0.9 * chest, nape)
    return parts + _head(m, nape, m["muzzle_angle"] + 0.5 * (pose["nod"] - 0.5))


def _face_on(m: Measures, pose: Measures) -> list[Part]:
    """Head and chest seen from the front, with more or less of the body under them."""
    skull = 1.5 * m["head"] - 0.05
    jaw = np.array([0.25 * (pose["turn"] - 0.5) * skull, -0.25 * skull - 0.8 * m["muzzle"]])
    chest = -(0.45 * m["neck"] + 1.1 * skull)
    hip = chest - 0.1 - 0.4 * pose["stride"]
    throat = min(m["neck_width"], 0.75 * skull)
    chest_width = 1.5 * m["neck_width"]
    parts = []
    for x in (-0.6 * chest_width, 0.6 * chest_width):
        leg = tube([(x, hip), (x, hip - 0.5 * m["legs"])], [1.8 * m["leg_width"], m["leg_width"]])
        parts.append(Part(leg, "body", 0.72))
    trunk = tube(
        [(0.0, chest + 0.12), (0.0, chest - 0.1), (0.0, hip - 0.08)],
        [0.7 * chest_width, chest_width, 0.85 * chest_width],
    )
    parts.append(Part(trunk, "body", 0.78))
    neck = tube([(0.0, 0.0), (0.0, chest)], [throat, 1.3 * throat])
    parts.append(Part(neck, "body", 0.8))
    parts.append(Part(ellipse((0.0, chest - 0.06), (0.5 * chest_width, 0.12)), "pale", 0.88))

    crown = np.array([0.3 * skull, 0.8 * skull])
    parts += _both_sides(_antlers(m, crown, spread=0.5))
    ears = _ears_on_face(m, skull)
    hanging = m["ear_lift"] < _HANGING
    parts += [] if hanging else ears
    cheek = 1.1 * m["muzzle_width"]
    face = [
        (0.92 * skull, 0.45 * skull),
        (0.85 * skull, -0.4 * skull),
        (cheek, jaw[1] - 0.1 * skull),
    ]
    left = [(-x, y) for x, y in reversed(face)]
    parts.append(Part(curve([(0.0, skull), *face, *left]), "body"))
    has_mane = m["mane"] > 0.0
    if has_mane:
        parts.append(Part(ellipse((0.0, 0.7 * skull), (0.3 * skull, 0.5 * skull)), "second"))
        parts.append(Part(tube([(0.0, 0.2 * skull), jaw], [0.15 * skull, 0.1 * skull]), "pale"))
    parts += ears if hanging else []
    drop = 0.5 * m["muzzle_width"] + 0.3 * m["muzzle"]
    parts.append(Part(ellipse(jaw, (1.15 * m["muzzle_width"], drop)), "pale"))
    size = 0.17 * skull * m["eye"]
    eye = (0.42 * skull + 0.35 * skull * has_mane, 0.12 * skull)
    parts += _both_sides(
        [
            Part(ellipse(eye, (1.15 * size, size)), "iris"),
            Part(ellipse(eye, (0.7 * size, 0.9 * size)), "dark"),
        ]
    )
    width = m["muzzle_width"]
    if has_mane:
        nostril = offset(jaw, 0.55 * width, -0.2 * drop)
        return parts + _both_sides([Part(ellipse(nostril, (0.25 * width, 0.2 * width)), "nose")])
    nose = offset(jaw, 0.0, 0.25 * drop)
    return [*parts, Part(ellipse(nose, (0.42 * width, 0.3 * width)), "nose")]


def _ears_on_face(m: Measures, skull: float) -> list[Part]:
    """Both ears from the front: upright, sideways, or hanging beside the cheeks."""
    lift = m["ear_lift"]
    if lift < _HANGING:
        root, angle = polar(0.85 * skull, 0.75), -1.25 + 0.3 * lift
    else:
        root, angle = polar(0.86 * skull, 1.0), 1.15 - 0.6 * max(0.0, lift - 1.9)
    tip = root + polar(1.2 * m["ear"], angle)
    width, end = 1.15 * m["ear_width"], m["ear_width"] * m["ear_tip"]
    ear = [Part(tube([0.85 * root, tip], [width, end]), "ear")]
    if lift >= _HANGING:
        ear.append(Part(tube([root, 0.2 * root + 0.8 * tip], [0.45 * width, 0.4 * end]), "pink"))
    return _both_sides(ear)


def _both_sides(parts: list[Part]) -> list[Part]:
    return parts + mirrored(parts)


def _leg(m: Measures, x: float, swing: float, *, hind: bool, shade: float) -> list[Part]:
    """Thigh, joint and foot; `swing` moves the foot forward. Hind joints bend backwards."""
    width, legs = m["leg_width"], m["legs"]
    hip = np.array([x, legs + 0.35 * m["depth"]])
    foot = np.array([x + 0.5 * legs * (swing - 0.6 if hind else swing), 0.0])
    joint = 0.52 * foot + 0.48 * offset(hip, 0.0, -0.25 * m["depth"])
    joint = offset(joint, (-0.16 if hind else 0.07) * legs, 0.0)
    thigh = (2.3 if hind else 1.7) * width
    outline = tube([hip, joint, foot], [thigh, 1.05 * width, 0.85 * width])
    paw = ellipse(offset(foot, 0.5 * width, 0.4 * width), (1.3 * width, 0.7 * width))
    return [Part(outline, "body", shade), Part(paw, "paw", shade)]


def _tail(m: Measures, pose: Measures, root: Points, *, lying: bool = False) -> Part:
    angle = 3.0 if lying else m["tail_angle"]
    bend = m["tail_curl"] * (0.3 if lying else 1.0) + 0.4 * (pose["nod"] - 0.5)
    step = m["tail"] / 4
    spine = [root]
    for _ in range(4):
        spine.append(spine[-1] + polar(step, angle))
        angle += bend / 4
    width = m["tail_width"]
    hair = m["mane"] > 0.0
    radii = [0.6, 1.2, 1.3, 1.1, 0.4] if hair else [1.1, 1.0, 0.95, 0.9, 0.5]
    return Part(tube(spine, [width * r for r in radii]), "second" if hair else "body", 0.9)


def _neck(m: Measures, shoulder: Points, nape: Points) -> list[Part]:
    low = shoulder + 0.12 * (shoulder - nape)
    width = m["neck_width"]
    parts = [
        Part(tube([low, (low + nape) / 2, nape], [1.35 * width, width, 0.85 * width]), "body", 0.97)
    ]
    if m["mane"] > 0.0:
        along = (nape - low) / (np.hypot(*(nape - low)) + 1e-9)
        back = np.array([-along[1], along[0]]) * width
        spine = [low + 0.9 * back, (low + nape) / 2 + 0.8 * back, nape + 0.8 * back]
        parts.append(Part(tube(spine, [0.05, 0.09 + 0.03 * m["mane"], 0.06]), "second"))
    return parts


def _head(m: Measures, nape: Points, angle: float) -> list[Part]:
    """A head in profile whose muzzle points along `angle`."""
    skull = m["head"]
    centre = nape + polar(0.35 * skull, angle)
    tip = centre + polar(0.75 * skull + m["muzzle"], angle)
    up = angle + 0.5 * np.pi
    parts = _antlers(m, centre + polar(0.8 * skull, up + 0.3), spread=0.0)
    far_ear, near_ear = (_ear(m, centre, angle, shift) for shift in (0.35, 0.0))
    droops = m["ear_lift"] < _HANGING
    parts.append(Part(far_ear, "ear", 0.75))
    if not droops:
        parts.append(Part(near_ear, "ear"))
    parts.append(Part(ellipse(centre, (skull, 0.92 * skull)), "body"))
    jaw = centre + polar(0.12 * skull, up + np.pi)
    parts.append(Part(tube([jaw, tip], [0.85 * skull, m["muzzle_width"]]), "body", 1.03))
    parts.append(Part(ellipse(tip, (0.9 * m["muzzle_width"],) * 2), "pale"))
    if droops:
        parts.append(Part(near_ear, "ear"))
    eye = centre + polar(0.42 * skull, angle + 0.75)
    size = 0.2 * skull * m["eye"]
    parts.append(Part(ellipse(eye, (size, size)), "dark"))
    nose = tip + polar(0.6 * m["muzzle_width"], angle + 0.5)
    return [*parts, Part(ellipse(nose, (0.45 * m["muzzle_width"],) * 2), "nose")]


def _ear(m: Measures, centre: Points, angle: float, shift: float) -> Points:
    """From the top of the skull, upright for a large lift, hanging for a negative one."""
    lift = m["ear_lift"]
    root = centre + polar(0.75 * m["head"], angle + 1.75 - shift)
    direction = angle + lift if lift > _HANGING else angle + np.pi + 0.9 - 0.3 * lift
    return tube(
        [root, root + polar(m["ear"], direction - shift)],
        [m["ear_width"], m["ear_width"] * m["ear_tip"]],
    )


def _antlers(m: Measures, root: Points, spread: float) -> list[Part]:
    """A beam with three tines."""
    size = m["antlers"]
    if size <= 0.0:
        return []
    size = 0.25 + 0.5 * size
    middle = root + polar(0.5 * size, 1.75 - 1.6 * spread)
    top = middle + polar(0.5 * size, 1.2 + 0.3 * spread)
    beams = [[root, middle, top]]
    beams += [[p, p + polar(0.35 * size, 0.5 + spread)] for p in ((root + middle) / 2, middle)]
    beams += [[middle, middle + polar(0.35 * size, 2.2)]]
    return [Part(tube(beam, [0.03, *[0.022] * (len(beam) - 1)]), "antler") for beam in beams]
