"""Remove and debias (ROAD, Rong et al. 2022): does hiding what a map points at hurt more?

Removed pixels are not painted over, which would leave a shape for the network to read: each becomes
the weighted mean of its neighbours, removed ones included, by one sparse linear system a picture.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import spsolve

from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.picture_choice import probabilities

Images = npt.NDArray[np.uint8]
Predict = Callable[[Images], npt.NDArray[np.float32]]  # (N, S, S, 3) -> logits (N, K)

SHARES = (0.2, 0.4, 0.6, 0.8)  # of the pixels that are removed
BESIDE, ACROSS = 1 / 6, 1 / 12  # weight of a neighbour at an edge, and at a corner
NOISE = 2.5  # grey levels; the standard deviation of Rong et al., 0.01 of the range


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
