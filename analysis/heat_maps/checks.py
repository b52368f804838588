"""Do heat maps depend on what the model has learnt, or would any model draw them?

The checks of Adebayo et al. 2018, and the two things that pass for an answer: where a stage is
active at all (RandomCAM), and where the objects of a class lie on average (its mean map). Maps are
(N, g, g); negative values do not support the class and count as nothing (the ReLU of Grad-CAM).

Remove and debias (ROAD, Rong et al. 2022) asks whether hiding what a map points at hurts more.
Removed pixels are not painted over, which would leave a shape for the network to read: each becomes
the weighted mean of its neighbours, removed ones included, by one sparse linear system a picture.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

from analysis.statistics.intervals import Estimate, estimate
from analysis.statistics.metrics import FloatArray, IntArray, ratio
from analysis.statistics.picture_choice import probabilities

CENTRE_RADIUS = 11 / 32  # of the side; the fixed prior of where an object is
POINTS_A_CELL = 32  # along each side, to measure how much of a cell lies in the centre
MAX_DRAWN_AT_ONCE = 4_000_000  # bounds the memory of a bootstrap to 32 MB
Statistic = Callable[..., npt.NDArray[np.float64]]
Images = npt.NDArray[np.uint8]
Predict = Callable[[Images], npt.NDArray[np.float32]]  # (N, S, S, 3) -> logits (N, K)
SHARES = (0.2, 0.4, 0.6, 0.8)  # of the pixels that are removed
BESIDE, ACROSS = 1 / 6, 1 / 12  # weight of a neighbour at an edge, and at a corner
NOISE = 2.5  # grey levels; the standard deviation of Rong et al., 0.01 of the range


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


def road_scores(
    predict: Predict,
    images: Images,
    maps: npt.NDArray[np.floating],
    targets: IntArray,
    *,
    seed: int,
) -> FloatArray:
    """Half of how much more probable the target stays without the least relevant pixels than
    without the most relevant ones, averaged over `SHARES`, (N,) in [-1/2, 1/2]; random: about 0.

    Args:
        predict: the model.
        images: uint8 (N, S, S, 3).
        maps: signed maps that rank the pixels, (N, g, g).
        targets: the class whose probability is read, (N,).
        seed: of the noise, and of the order within a cell.
    """
    rng = np.random.default_rng(seed)
    neighbours = neighbour_weights(images.shape[1])
    ranks = pixel_ranks(maps, images.shape[1], rng)
    gains = []
    for share in SHARES:
        num_removed = round(share * ranks.shape[1])
        kept_probability = [
            probabilities(predict(_without(images, removed, neighbours, rng)))[
                np.arange(len(images)), targets
            ]
            for removed in (ranks < num_removed, ranks >= ranks.shape[1] - num_removed)
        ]
        gains.append((kept_probability[0] - kept_probability[1]) / 2)
    return np.mean(gains, axis=0)


def pixel_ranks(maps: npt.NDArray[np.floating], side_px: int, rng: np.random.Generator) -> IntArray:
    """Of every pixel from the least relevant (0) to the most, (N, S * S).

    Pixels of one cell are equally relevant: their order is drawn.
    """
    cells = np.arange(side_px) * maps.shape[1] // side_px
    relevance = maps[:, cells[:, None], cells].reshape(len(maps), -1)
    drawn = rng.random(relevance.shape)
    order = np.lexsort((drawn, relevance), axis=1)
    return np.argsort(order, axis=1)


def neighbour_weights(side_px: int) -> sparse.csr_array:
    """Of each pixel's up to eight neighbours, (S * S, S * S)."""
    beside = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(side_px, side_px))
    same = sparse.eye_array(side_px)
    edges = sparse.kron(same, beside) + sparse.kron(beside, same)
    return sparse.csr_array(BESIDE * edges + ACROSS * sparse.kron(beside, beside))


def imputed(
    picture: Images, removed: npt.NDArray[np.bool_], neighbours: sparse.csr_array
) -> FloatArray:
    """The picture (S * S, 3) whose removed pixels are the weighted means of their neighbours."""
    pixels = picture.reshape(-1, 3).astype(np.float64)
    rows = neighbours[np.flatnonzero(removed)]
    system = sparse.diags_array(rows.sum(axis=1)) - rows[:, np.flatnonzero(removed)]
    known = rows[:, np.flatnonzero(~removed)] @ pixels[~removed]
    pixels[removed] = spsolve(sparse.csc_array(system), known)
    return pixels


def _without(
    images: Images,
    removed: npt.NDArray[np.bool_],
    neighbours: sparse.csr_array,
    rng: np.random.Generator,
) -> Images:
    """All pictures without their removed pixels, with a little noise where those were."""
    filled = np.stack(
        [imputed(picture, gone, neighbours) for picture, gone in zip(images, removed, strict=True)]
    )
    filled += removed[..., None] * rng.normal(0, NOISE, filled.shape)
    return filled.clip(0, 255).round().astype(np.uint8).reshape(images.shape)
