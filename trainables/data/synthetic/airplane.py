"""Airplanes: jets, fighters and propeller craft, from any side."""

import numpy as np

from trainables.data.synthetic.outlines import Measures, Part, Ranges
from trainables.data.synthetic.solids import (
    Corners,
    Solid,
    View,
    box,
    lamp_of,
    loft,
    panel,
    see,
    sheet,
)

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
# Corners (y, z) of the two blades.
_PROPELLER = [(-0.02, -0.3), (0.02, -0.3), (0.03, 0.0), (0.02, 0.3), (-0.02, 0.3), (-0.03, 0.0)]


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
        lamp=lamp_of(pose),
    )
    return see([[fuselage, cockpit, fin, *surfaces]], view)


def _ring(x: float, radius: float, lift: float, y: float = 0.0) -> Corners:
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
