"""Automobiles and trucks: one set of measures, a cab, and what it carries behind."""

import numpy as np

from trainables.data.synthetic.outlines import Measures, Part, Ranges
from trainables.data.synthetic.solids import Solid, View, box, lamp_of, loft, panel, see, sheet

# Metres; an automobile and a truck differ in these alone. No cargo box where `cargo` is below 0.
WHEELED: dict[str, Ranges] = {
    "automobile": {
        "rear": (0.0, 1.15),
        "cabin": (1.75, 2.6),
        "hood": (0.75, 1.35),
        "half_width": (0.78, 0.92),
        "clearance": (0.2, 0.34),
        "waist": (0.85, 1.02),
        "rear_height": (0.82, 1.0),
        "roof": (1.32, 1.72),
        "rake": (0.35, 0.85),
        "back_rake": (0.1, 0.75),
        "wheel": (0.3, 0.38),
        "cargo": (-1.2, -0.2),
        "gap": (0.0, 0.0),
    },
    "truck": {
        "rear": (1.9, 4.4),
        "cabin": (1.15, 1.8),
        "hood": (0.1, 1.2),
        "half_width": (0.95, 1.2),
        "clearance": (0.45, 0.65),
        "waist": (1.15, 1.45),
        "rear_height": (1.0, 1.25),
        "roof": (1.95, 2.5),
        "rake": (0.05, 0.4),
        "back_rake": (0.0, 0.1),
        "wheel": (0.42, 0.55),
        "cargo": (-0.5, 2.2),
        "gap": (0.0, 0.2),
    },
}


def wheeled(measures: Measures, pose: Measures) -> list[Part]:
    """An automobile, a truck, or what lies between, on its wheels."""
    m = measures
    has_cargo = m["cargo"] > 0.0
    is_car = not has_cargo and m["rear"] < 1.6  # one body from tail to nose
    width, radius = m["half_width"], m["wheel"]
    length = m["rear"] + m["cabin"] + m["hood"]
    bodies = [_cab(m, is_car)]
    if not is_car:
        bodies.append(_load_bed(m, has_cargo))

    axles = [length - max(0.55, 0.62 * m["hood"]), 0.75 if is_car else 0.2 * m["rear"]]
    if m["rear"] > 3.2:
        axles.append(axles[1] + 2.3 * radius)
    chassis = box((0.1, -0.8 * width, 0.8 * radius), (length, 0.8 * width, m["clearance"]), "dark")
    tyres = [face for x in axles for face in _tyre(x, radius, width)]
    discs = [face for x in axles for face in _wheel_disc(x, radius, width)]
    return see([[chassis, tyres], bodies, [discs]], _road_view(pose))


def _cab(m: Measures, is_car: bool) -> Solid:
    """The body with windows and front; a car's reaches to its tail, a truck's to its load."""
    base, waist, roof, width = m["clearance"], m["waist"], m["roof"], m["half_width"]
    cabin_end = m["rear"] + m["cabin"]
    length = cabin_end + m["hood"]
    profile = [
        (0.0 if is_car else m["rear"], base),
        (length, base),
        (length + 0.06, 0.6 * waist),
        (length - 0.04, 0.9 * waist),
        (cabin_end, waist),
        (cabin_end - m["rake"], roof),
        (m["rear"] + m["back_rake"], roof),
    ]
    sides = ["dark", "body", "body", "body", "glass", "body"]
    if is_car:
        rear = min(m["rear_height"], waist)
        profile += [(m["rear"], rear), (0.0, 0.96 * rear)]
        sides += ["glass", "body", "body"]
    else:
        profile.append((m["rear"], waist))
        sides += ["body", "body"]
    cab = _extrude(profile, width, sides, cap="body")
    cab += _side_windows(m, cabin_end, is_car)
    return cab + _front(length, width, waist)


def _road_view(pose: Measures) -> View:
    """Either flank, turned up to a near frontal or rear view, from above."""
    facing = 0.0 if pose["bank"] < 0.5 else np.pi
    return View(
        turn=facing + 2.5 * (pose["turn"] - 0.5),
        height=0.05 + 0.5 * pose["height"] ** 1.5,
        perspective=0.05,
        lamp=lamp_of(pose),
    )


def _extrude(
    profile: list[tuple[float, float]], half_width: float, sides: list[str], cap: str
) -> Solid:
    flat = np.array(profile)
    rings = [np.insert(flat, 1, y, axis=1) for y in (-half_width, half_width)]
    return loft(rings, sides, cap)


def _side_windows(m: Measures, cabin_end: float, is_car: bool) -> Solid:
    """Glass on both flanks under the roof, split by a pillar on a car."""
    low, high = m["waist"] + 0.03, m["roof"] - 0.1
    slope_front = 0.85 * m["rake"]
    front, back = cabin_end - 0.12, m["rear"] + 0.12
    slope_back = 0.85 * m["back_rake"]
    pillar = (front + back) / 2 - 0.1
    half = m["half_width"] * 1.005
    if not is_car:
        back = pillar
        slope_back = 0.0
    glass = panel(
        [(pillar + 0.06, low), (front, low), (front - slope_front, high), (pillar + 0.06, high)],
        half,
        "glass",
    )
    if is_car:
        glass += panel(
            [(back, low), (pillar - 0.06, low), (pillar - 0.06, high), (back + slope_back, high)],
            half,
            "glass",
        )
    return glass


def _front(length: float, half_width: float, waist: float) -> Solid:
    """Grille and head lamps."""
    x, low, high = length + 0.08, 0.5 * waist, 0.78 * waist
    faces: Solid = []
    for left, right, paint in ((-0.9, -0.55, "light"), (-0.45, 0.45, "dark"), (0.55, 0.9, "light")):
        corners = [(x, left, low), (x, right, low), (x, right, high), (x, left, high)]
        front = sheet([(a, b * half_width, c) for a, b, c in corners], paint)
        faces.append(front[0])
    return faces


def _load_bed(m: Measures, has_cargo: bool) -> Solid:
    """The cargo box, or the open bed of a pickup."""
    end = m["rear"] - m["gap"]
    width = 0.98 * m["half_width"]
    if has_cargo:
        top = m["waist"] + m["cargo"]
        return box((0.0, -width, m["clearance"] + 0.25), (end, width, top), "second")
    return box((0.0, -width, m["clearance"]), (end, width, m["rear_height"]), "body", top="dark")


def _tyre(x: float, radius: float, half_width: float) -> Solid:
    turn = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    flat = np.stack([x + radius * np.cos(turn), radius + radius * np.sin(turn)], axis=1)
    rings = [np.insert(flat, 1, y, axis=1) for y in (-half_width, half_width)]
    return loft(rings, "tyre")


def _wheel_disc(x: float, radius: float, half_width: float) -> Solid:
    turn = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    faces = panel((circle * radius + (x, radius)).tolist(), 1.02 * half_width, "tyre")
    return faces + panel(
        (circle * 0.52 * radius + (x, radius)).tolist(), 1.04 * half_width, "metal"
    )
