"""Ships: a hull and one of four upper works."""

import numpy as np

from trainables.data.synthetic.outlines import Measures, Part, Ranges
from trainables.data.synthetic.solids import Solid, View, box, lamp_of, loft, panel, see, sheet

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
        lamp=lamp_of(pose),
    )
    return see([[hull], upper], view)


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
