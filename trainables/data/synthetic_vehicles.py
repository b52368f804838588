"""Airplanes, automobiles, ships and trucks as solids seen from a drawn view."""

from collections.abc import Mapping

import numpy as np

from trainables.data.synthetic_outlines import Part, Ranges
from trainables.data.synthetic_solids import Solid, View, box, loft, panel, see, sheet

Measures = Mapping[str, float]

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
# Half the fuselage is 1 long. `delta` above 0.8 is a fighter's wing, `propeller` above 0.6 a nose
# propeller with straight wings.
AIRPLANE: Ranges = {
    "radius": (0.085, 0.15),
    "span": (0.75, 1.15),
    "chord": (0.26, 0.42),
    "sweep": (0.15, 0.6),
    "wing_x": (-0.05, 0.3),
    "wing_z": (-0.6, 0.9),
    "dihedral": (0.0, 0.14),
    "fin": (0.28, 0.5),
    "engine": (0.045, 0.08),
    "delta": (0.0, 1.0),
    "propeller": (0.0, 1.0),
}
# Half the hull is 1 long; `kind` picks cargo ship, liner, sailing boat or warship.
SHIP: Ranges = {
    "kind": (0.0, 4.0),
    "beam": (0.15, 0.27),
    "freeboard": (0.16, 0.34),
    "sheer": (0.03, 0.16),
    "bow": (0.12, 0.3),
    "bridge": (0.22, 0.45),
    "mast": (1.0, 1.8),
    "stack": (0.0, 1.0),
}


def wheeled(measures: Measures, pose: Measures) -> list[Part]:
    """An automobile, a truck, or what lies between, on its wheels."""
    m = measures
    cabin_end = m["rear"] + m["cabin"]
    length = cabin_end + m["hood"]
    width, base, waist, roof = m["half_width"], m["clearance"], m["waist"], m["roof"]
    rear_height = min(m["rear_height"], waist)
    has_cargo = m["cargo"] > 0.0
    cab_start = m["rear"] if has_cargo or m["rear"] > 1.6 else 0.0
    profile = [
        (cab_start, base),
        (length, base),
        (length + 0.06, 0.6 * waist),
        (length - 0.04, 0.9 * waist),
        (cabin_end, waist),
        (cabin_end - m["rake"], roof),
        (m["rear"] + m["back_rake"], roof),
        (m["rear"], rear_height if cab_start == 0.0 else waist),
    ]
    sides = ["dark", "body", "body", "body", "glass", "body", "glass", "body"]
    if cab_start == 0.0:
        profile.append((0.0, 0.96 * rear_height))
        sides.append("body")
    else:
        sides[6] = "body"
    cab = _extrude(profile, width, sides, cap="body")
    cab += _side_windows(m, cabin_end, cab_start == 0.0)
    cab += _front(length, width, waist)

    bodies = [cab]
    if cab_start > 0.0:
        bodies.append(_load_bed(m, has_cargo))
    front_axle = length - max(0.55, 0.62 * m["hood"])
    axles = [front_axle, 0.75 if cab_start == 0.0 else 0.2 * m["rear"]]
    if m["rear"] > 3.2:
        axles.append(axles[1] + 2.3 * m["wheel"])
    chassis = box((0.1, -0.8 * width, 0.8 * m["wheel"]), (length, 0.8 * width, base), "dark")
    far_wheels = [face for x in axles for face in _tyre(x, m["wheel"], width)]
    near_wheels = [face for x in axles for face in _wheel_disc(x, m["wheel"], width)]
    return see([[chassis, far_wheels], bodies, [near_wheels]], _road_view(pose))


def airplane(measures: Measures, pose: Measures) -> list[Part]:
    """A jet, fighter or propeller airplane from any side, above or below."""
    m = dict(measures)
    fighter, propeller = m["delta"] > 0.8, m["propeller"] > 0.6
    if fighter:
        m |= {"span": 0.6 * m["span"], "chord": 2.0 * m["chord"], "sweep": 0.62, "wing_x": 0.1}
        m |= {"wing_z": 0.0, "radius": 0.8 * m["radius"]}
    elif propeller:
        m |= {"sweep": 0.04, "radius": 1.2 * m["radius"], "wing_x": 0.35}
    radius = m["radius"]
    stations = [(-1.0, 0.18, 0.5), (-0.55, 0.8, 0.15), (0.55, 1.0, 0.0), (0.85, 0.7, -0.05)]
    stations.append((1.02, 0.12, -0.2))
    rings = [_ring(x, radius * grow, radius * lift) for x, grow, lift in stations]
    fuselage = loft(rings, "body")
    fuselage += panel(
        [(-0.5, 0.2 * radius), (0.6, 0.2 * radius), (0.6, 0.55 * radius), (-0.5, 0.55 * radius)],
        0.97 * radius,
        "second" if fighter else "glass",
    )
    cockpit = box((0.66, -0.5 * radius, 0.4 * radius), (0.86, 0.5 * radius, 0.9 * radius), "glass")

    surfaces: list[Solid] = []
    for side in (-1.0, 1.0):
        surfaces.append(_wing(m, side))
        surfaces.append(_tailplane(m, side))
        if not fighter and not propeller:
            surfaces.append(_engine(m, side))
    fin = sheet(
        [
            (-0.98, 0.0, 0.5 * radius),
            (-0.62, 0.0, 0.7 * radius),
            (-0.9, 0.0, m["fin"]),
            (-1.08, 0.0, m["fin"]),
        ],
        "second",
    )
    if propeller:
        surfaces.append(sheet([(1.05, y, z) for y, z in _PROPELLER], "dark"))
    view = View(
        turn=2.0 * np.pi * pose["turn"],
        height=0.85 * (2.0 * pose["height"] - 0.8),
        bank=0.7 * (pose["bank"] - 0.5),
        perspective=0.12,
        lamp=_lamp(pose),
    )
    return see([[fuselage, cockpit, fin, *surfaces]], view)


def ship(measures: Measures, pose: Measures) -> list[Part]:
    """A cargo ship, liner, sailing boat or warship."""
    m = measures
    hull = _hull(m)
    deck = m["freeboard"]
    upper: list[Solid] = {0: _cargo, 1: _liner, 2: _sails, 3: _warship}[min(int(m["kind"]), 3)](
        m, deck
    )
    side = 0.0 if pose["bank"] < 0.5 else np.pi
    view = View(
        turn=side + 1.9 * (pose["turn"] - 0.5),
        height=0.06 + 0.4 * pose["height"],
        perspective=0.12,
        lamp=_lamp(pose),
    )
    return see([[hull], upper], view)


_PROPELLER = [(-0.02, -0.3), (0.02, -0.3), (0.03, 0.0), (0.02, 0.3), (-0.02, 0.3), (-0.03, 0.0)]


def _road_view(pose: Measures) -> View:
    """Either flank, turned up to a near frontal or rear view, from above."""
    facing = 0.0 if pose["bank"] < 0.5 else np.pi
    return View(
        turn=facing + 2.5 * (pose["turn"] - 0.5),
        height=0.05 + 0.5 * pose["height"] ** 1.5,
        perspective=0.05,
        lamp=_lamp(pose),
    )


def _lamp(pose: Measures) -> tuple[float, float, float]:
    return (2.4 * (pose["lamp"] - 0.5), -0.6, 0.9)


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
    """Grille and head lamps, and red lamps behind are left to the load bed."""
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


def _ring(x: float, radius: float, lift: float, y: float = 0.0) -> np.ndarray:
    """Eight corners around the length axis, counter-clockwise as seen from the tail."""
    turn = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
    return np.stack(
        [np.full(8, x), y - radius * np.cos(turn), lift + radius * np.sin(turn)], axis=1
    )


def _wing(m: Measures, side: float) -> Solid:
    root, tip = m["wing_x"], m["wing_x"] - m["sweep"]
    z = m["wing_z"] * m["radius"]
    tip_chord = 0.12 if m["sweep"] > 0.1 else 0.8 * m["chord"]
    return sheet(
        [
            (root, 0.0, z),
            (tip, side * m["span"], z + m["dihedral"]),
            (tip - tip_chord, side * m["span"], z + m["dihedral"]),
            (root - m["chord"], 0.0, z),
        ],
        "wing",
    )


def _tailplane(m: Measures, side: float) -> Solid:
    z = 0.5 * m["radius"]
    tip = side * 0.38 * m["span"]
    return sheet([(-0.72, 0.0, z), (-0.92, tip, z), (-1.04, tip, z), (-0.95, 0.0, z)], "wing")


def _engine(m: Measures, side: float) -> Solid:
    x = m["wing_x"] - 0.4 * m["sweep"]
    y = side * 0.38 * m["span"]
    z = m["wing_z"] * m["radius"] - 1.1 * m["engine"]
    return loft([_ring(x - 0.2, m["engine"], z, y), _ring(x + 0.1, m["engine"], z, y)], "metal")


def _hull(m: Measures) -> Solid:
    beam, deck, sheer = m["beam"], m["freeboard"], m["sheer"]
    plan = [(-0.95, -0.8), (-0.95, 0.8), (0.35, 1.0), (0.75, 0.6), (1.0, 0.0), (0.75, -0.6)]
    plan.append((0.35, -1.0))  # clockwise from above
    low = np.array([(0.86 * x if x > 0.5 else x, 0.75 * beam * y, 0.0) for x, y in plan])
    line = low * (1.0, 1.1, 1.0) + (0.0, 0.0, 0.3 * deck)
    high = np.array([(x, beam * y, deck + sheer * max(0.0, x) ** 2) for x, y in plan])
    high[plan.index((1.0, 0.0)), 0] += m["bow"]
    below = loft([low, line], "accent")
    return below + loft([line, high], "body", caps="deck")


def _cargo(m: Measures, deck: float) -> list[Solid]:
    """Containers before a bridge at the stern."""
    width = 0.85 * m["beam"]
    bridge = deck + m["bridge"]
    solids = [box((-0.85, -width, deck), (-0.6, width, bridge), "white")]
    solids += [box((-0.6, -width, 0.75 * bridge), (-0.58, width, 0.9 * bridge), "glass")]
    edges = np.linspace(-0.52, 0.62, 5)
    heights = deck + m["bridge"] * np.array([0.75, 0.4, 0.7, 0.5]) * (0.3 + m["stack"])
    for start, end, top, paint in zip(
        edges[:-1], edges[1:], heights, ("accent", "second", "wing", "accent"), strict=True
    ):
        solids.append(box((start, -width, deck), (end - 0.03, width, top), paint))
    return solids


def _liner(m: Measures, deck: float) -> list[Solid]:
    """White decks with rows of windows, and funnels."""
    solids: list[Solid] = []
    step = 0.42 * m["bridge"]
    for level in range(3):
        start, end = -0.8 + 0.1 * level, 0.55 - 0.16 * level
        width = (0.88 - 0.1 * level) * m["beam"]
        low = deck + level * step
        decks = box((start, -width, low), (end, width, low + step), "white")
        rows = [(start, low + 0.3 * step), (end, low + 0.3 * step), (end, low + 0.65 * step)]
        decks += panel([*rows, (start, low + 0.65 * step)], 1.01 * width, "glass")
        solids.append(decks)
    top = deck + 3 * step
    for x in (-0.3, 0.05)[: 1 + int(m["stack"] > 0.5)]:
        solids.append(box((x, -0.07, top), (x + 0.13, 0.07, top + 0.6 * m["bridge"]), "accent"))
    return solids


def _sails(m: Measures, deck: float) -> list[Solid]:
    """One mast, a main sail and a jib."""
    top = deck + m["mast"]
    mast = box((0.1, -0.02, deck), (0.14, 0.02, top), "dark")
    boom, belly = deck + 0.14, 0.12
    main = sheet([(0.08, 0.0, boom), (-0.85, belly, boom), (0.08, 0.0, top)], "sail")
    jib = sheet([(0.17, 0.0, boom), (0.17, 0.0, 0.9 * top), (1.05, -belly, boom)], "sail")
    cabin = box((-0.35, -0.5 * m["beam"], deck), (0.3, 0.5 * m["beam"], deck + 0.1), "white")
    return [cabin, main, mast, jib]


def _warship(m: Measures, deck: float) -> list[Solid]:
    """A stepped bridge amidships, a gun before it, a funnel and a lattice mast."""
    width, tall = 0.7 * m["beam"], m["bridge"]
    mid = deck + 0.45 * tall
    solids = [
        box((-0.55, -width, deck), (0.35, width, mid), "body"),
        box((0.0, -0.7 * width, mid), (0.3, 0.7 * width, mid + 0.4 * tall), "body"),
        box((-0.35, -0.5 * width, mid), (-0.15, 0.5 * width, mid + 0.4 * tall), "dark"),
        box((0.5, -0.4 * width, deck), (0.68, 0.4 * width, deck + 0.2 * tall), "body"),
        box((0.1, -0.02, mid), (0.14, 0.02, deck + 0.7 * m["mast"]), "dark"),
    ]
    glass = [(0.0, mid + 0.18 * tall), (0.3, mid + 0.18 * tall), (0.3, mid + 0.32 * tall)]
    solids[1] += panel([*glass, (0.0, mid + 0.32 * tall)], 0.71 * width, "glass")
    return solids
