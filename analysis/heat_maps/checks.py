"""Do heat maps depend on what the model has learnt, or would any model draw them?

The checks of Adebayo et al. 2018, and the two things that pass for an answer: where a stage is
active at all (RandomCAM), and where the objects of a class lie on average (its mean map). Maps are
(N, g, g); negative values do not support the class and count as nothing (the ReLU of Grad-CAM).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import stats

from analysis.statistics.intervals import Estimate, estimate
from analysis.statistics.metrics import FloatArray, IntArray, ratio

CENTRE_RADIUS = 11 / 32  # of the side; the fixed prior of where an object is
POINTS_A_CELL = 32  # along each side, to measure how much of a cell lies in the centre
MAX_DRAWN_AT_ONCE = 4_000_000  # bounds the memory of a bootstrap to 32 MB

Statistic = Callable[..., npt.NDArray[np.float64]]


def support(maps: npt.NDArray[np.floating]) -> FloatArray:
    """What speaks for the class: the positive part."""
    return np.maximum(maps, 0.0).astype(np.float64)


def is_dead(maps: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Whether nothing in a map speaks for the class, (N,)."""
    return np.asarray(support(maps).max(axis=(1, 2)) == 0.0)


def centre_coverage(starts: FloatArray, width: float) -> FloatArray:
    """How much of each cell lies inside the centre circle, (g, g) in [0, 1].

    Args:
        starts: where the cells begin along one side, in parts of the side.
        width: of a cell, likewise; cells may overlap, as the windows of an occlusion do.
    """
    offsets = (np.arange(POINTS_A_CELL) + 0.5) / POINTS_A_CELL * width
    squared = (starts[:, None] + offsets - 0.5) ** 2  # (g, points)
    inside = squared[:, :, None, None] + squared[None, None] <= CENTRE_RADIUS**2
    return inside.mean(axis=(1, 3), dtype=np.float64)


def centre_lifts(maps: npt.NDArray[np.floating], coverage: FloatArray) -> FloatArray:
    """Mass inside the centre over the centre's area, (N,): 1 for a flat map, NaN for a dead one."""
    mass = support(maps)
    inside = ratio((mass * coverage).sum(axis=(1, 2)), mass.sum(axis=(1, 2)))
    return np.asarray(inside / coverage.mean())


def rank_correlations(
    first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]
) -> FloatArray:
    """Spearman's rho of each pair of maps as drawn, (N,); NaN where one of them is flat."""
    ranks = [
        stats.rankdata(support(maps).reshape(len(maps), -1), axis=1) for maps in (first, second)
    ]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    return ratio((a * b).sum(axis=1), np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))


def mean_maps_of_others(maps: npt.NDArray[np.floating], classes: IntArray) -> FloatArray:
    """For each picture the mean map of all others of its class, each of them with mass 1.

    A class of one picture has no others: its map is NaN.
    """
    mass = support(maps)
    shares = np.nan_to_num(ratio(mass, mass.sum(axis=(1, 2), keepdims=True)))
    means = np.empty_like(shares)
    for k in np.unique(classes):
        own = shares[classes == k]
        means[classes == k] = ratio(own.sum(axis=0) - own, len(own) - 1)
    return means


def shrunk(maps: npt.NDArray[np.floating], grid: int) -> FloatArray:
    """The support averaged over the areas of a coarser grid, (N, grid, grid)."""
    pictures = (Image.fromarray(one.astype(np.float32)) for one in support(maps))
    return np.array(
        [np.asarray(p.resize((grid, grid), Image.Resampling.BOX)) for p in pictures], np.float64
    )


def typical(
    values: FloatArray, statistic: Statistic, *, num_resamples: int, rng: np.random.Generator
) -> Estimate:
    """A mean or median over the pictures whose value is defined, with its bootstrap interval.

    Args:
        values: one a picture, (N,).
        statistic: such as `np.mean`, called with `axis=-1`.
        num_resamples: bootstrap draws.
        rng: the only source of randomness.
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Estimate(value=np.nan, lower=np.nan, upper=np.nan)
    batch = max(1, MAX_DRAWN_AT_ONCE // len(defined))
    samples = [
        statistic(rng.choice(defined, (min(batch, num_resamples - start), len(defined))), axis=-1)
        for start in range(0, num_resamples, batch)
    ]
    return estimate(float(statistic(defined, axis=-1)), np.concatenate(samples))
