"""Who lends a picture its background or its half: donors drawn by class from one sample.

A donor is given as a position in the sample, so its pixels and its label are both at hand.
"""

import numpy as np
import numpy.typing as npt

from analysis.statistics.metrics import IntArray

Images = npt.NDArray[np.uint8]  # (N, S, S, 3), RGB
FEWEST_DONORS = 3  # pictures of a class: itself and two others, of which a placebo takes another


def same_class_donors(labels: IntArray, rng: np.random.Generator) -> IntArray:
    """For each picture another one of its class, all alike likely; int64 (N,).

    Raises:
        ValueError: a class has one picture only.
    """
    donors = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise ValueError(f"class {label} has 1 picture; allowed: 2 or more, for a donor")
        steps = rng.integers(1, len(members), len(members))
        donors[members] = members[(np.arange(len(members)) + steps) % len(members)]
    return donors


def other_class_donors(labels: IntArray, rng: np.random.Generator) -> IntArray:
    """For each picture one of another class: first the class, then the picture; int64 (N,).

    Raises:
        ValueError: all pictures are of one class.
    """
    present = np.unique(labels)
    if len(present) < 2:
        raise ValueError(f"pictures are of {len(present)} class; allowed: 2 or more, for a donor")
    steps = rng.integers(1, len(present), len(labels))
    wanted = present[(np.searchsorted(present, labels) + steps) % len(present)]
    return donors_of(wanted, labels, rng)


def donors_of(wanted: IntArray, labels: IntArray, rng: np.random.Generator) -> IntArray:
    """For each wanted class one of its pictures, all alike likely; int64, as `wanted`."""
    donors = np.empty(len(wanted), np.int64)
    for label in np.unique(wanted):
        takers = wanted == label
        donors[takers] = rng.choice(np.flatnonzero(labels == label), takers.sum())
    return donors


def extreme_donors(
    amounts: npt.NDArray[np.floating],
    labels: IntArray,
    rng: np.random.Generator,
    *,
    highest: bool,
) -> IntArray:
    """For each picture one of its class's third with the highest (or lowest) amounts, not itself.

    Args:
        amounts: of what the donors are chosen by, shape (N,).
        labels: shape (N,); every class needs six pictures or more, so that a third has two.

    Raises:
        ValueError: a class has too few pictures.
    """
    donors = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 6:
            raise ValueError(f"class {label} has {len(members)} pictures; allowed: 6 or more")
        ranked = members[np.argsort(amounts[members], kind="stable")]
        third = len(members) // 3
        pool = ranked[-third:] if highest else ranked[:third]
        places = rng.integers(0, third, len(members))
        itself = pool[places] == members
        donors[members] = pool[np.where(itself, (places + 1) % third, places)]
    return donors
