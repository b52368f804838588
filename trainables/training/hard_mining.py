"""Hard-example mining: batches made of the confused pairs only (deck B).

A relative of online hard example mining (Shrivastava, Gupta and Girshick 2016), which picks the
pictures of highest loss. Here the pairs of classes that the model confused most in the last epoch
are picked and the pictures drawn at random within them, so one mislabelled picture, whose loss
stays high for ever, is not drawn more often than its neighbours.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ConfusedPair(NamedTuple):
    """Two classes, first < second, and how often they are taken for each other.

    `rate` is the mean of two shares: of the first class' pictures that were called the second, and
    of the second's that were called the first.
    """

    first: int
    second: int
    rate: float


def confused_pairs(confusion: NDArray[np.int64], num_pairs: int = 3) -> list[ConfusedPair]:
    """The pairs with the highest rates, highest first; equal rates in the order of the classes.

    Fewer than `num_pairs` where fewer pairs have an error, and none for a perfect model. A class
    without counted pictures is in no pair. So an epoch of mined batches alone could never lead to
    other classes, forgotten as they may be: some of the batches should stay ordinary ones.

    Args:
        confusion: counts (K, K) on training pictures; row = true class.
        num_pairs: at most this many.
    """
    num_classes = len(confusion)
    assert confusion.shape == (num_classes, num_classes), confusion.shape
    num_pictures = confusion.sum(axis=1)
    shares = confusion / np.maximum(num_pictures, 1)[:, None]
    rates = (shares + shares.T) / 2
    firsts, seconds = np.triu_indices(num_classes, k=1)
    pairs = [
        ConfusedPair(first, second, rate)
        for first, second, rate in zip(
            firsts.tolist(), seconds.tolist(), rates[firsts, seconds].tolist(), strict=True
        )
        if rate > 0 and num_pictures[first] and num_pictures[second]
    ]
    return sorted(pairs, key=lambda pair: -pair.rate)[:num_pairs]  # sorting is stable


def mine_batches(
    labels: NDArray[np.int64],
    pairs: Sequence[tuple[int, int, float]],
    *,
    num_batches: int,
    batch_size: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw batches of one pair each, half of the pictures from either class, in random order.

    A pair is chosen with probability proportional to its weight. The choices are drawn together
    (systematic sampling, Madow 1949), so the number of a pair's batches is its share of
    `num_batches` rounded up or down. In a batch of odd size the first class has one picture more
    or less by the toss of a coin. Within a batch no picture comes twice, unless a class has fewer
    pictures than its half: those are then drawn with replacement.

    Args:
        labels: int64 (N,), of the training pictures.
        pairs: as `confused_pairs` gives them; each class has at least one picture.
        num_batches: how many batches.
        batch_size: pictures a batch.
        rng: the only source of randomness.

    Returns:
        int64 (num_batches, batch_size), positions in `labels`.

    Raises:
        ValueError: there is no pair to draw from, or a class of a pair has no picture.
    """
    if num_batches and not pairs:
        raise ValueError("pairs is empty; allowed: one or more; mine no batches without errors")
    members = {k: np.flatnonzero(labels == k) for pair in pairs for k in pair[:2]}
    empty = sorted(k for k, pictures in members.items() if not len(pictures))
    if empty:
        raise ValueError(f"classes {empty} have no picture; allowed: pairs of classes that occur")
    batches = np.empty((num_batches, batch_size), np.int64)
    for batch, chosen in zip(batches, _choose_pairs(pairs, num_batches, rng), strict=True):
        first, second, _ = pairs[chosen]
        num_first = (batch_size + int(rng.integers(2))) // 2
        halves = [(members[first], num_first), (members[second], batch_size - num_first)]
        batch[:] = np.concatenate(
            [rng.choice(of_class, n, replace=n > len(of_class)) for of_class, n in halves]
        )
        rng.shuffle(batch)  # CutMix and MixUp mix neighbours: they should not be of one class
    return batches


def _choose_pairs(
    pairs: Sequence[tuple[int, int, float]], num_batches: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The index of each batch's pair: evenly spaced points, shifted at random, on a line on which
    every pair is as long as its weight."""
    ends = np.cumsum([weight for _, _, weight in pairs])
    points = (np.arange(num_batches) + rng.random()) / max(num_batches, 1)
    chosen = np.searchsorted(ends[:-1], points * ends[-1:], side="right")
    return rng.permutation(chosen)
