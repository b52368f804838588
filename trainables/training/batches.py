"""The batches of an epoch, planned on the host before it starts, so that no step waits for it.

Hard-example mining: batches made of the confused pairs only (deck B).

A relative of online hard example mining (Shrivastava, Gupta and Girshick 2016), which picks the
pictures of highest loss. Here the pairs of classes that the model confused most in the last epoch
are picked and the pictures drawn at random within them, so one mislabelled picture, whose loss
stays high for ever, is not drawn more often than its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.config import FineTuneConfig, pair_indices
from trainables.data.images import ImageSet
from trainables.training.parallel import WorkerGroup


@dataclass(frozen=True, kw_only=True)
class Batch:
    """This worker's positions in the training split, int64 (B,), and how the batch is mixed."""

    indices: Tensor
    mixing: str | None = None  # "cutmix", "mixup", or None

    def split(self, num_parts: int) -> "list[Batch]":
        """Parts of almost equal size, mixed in the same way, each within itself."""
        return [replace(self, indices=part) for part in self.indices.tensor_split(num_parts)]


def plan_batches(
    config: FineTuneConfig,
    train: ImageSet,
    *,
    epoch: int,
    train_confusion: list[list[int]] | None,
    workers: WorkerGroup,
    device: torch.device,
) -> list[Batch]:
    """The epoch's batches, a function of (seed, epoch, last epoch's confusion) alone.

    A shuffle without its incomplete last batch; a share of the batches is replaced by batches of
    the pairs that the last epoch confused most (deck B), or of the one pair that the configuration
    aims at, and a share is to be mixed.

    Args:
        config: sizes, shares, pair and seed.
        train: the training split.
        epoch: 1-based.
        train_confusion: counts of the epoch before, on training pictures; None in the first.
        workers: whose shard of each batch is taken.
        device: where the indices go, in one copy.
    """
    rng = np.random.default_rng([config.seed, epoch])
    size = config.batch_size
    num_batches = len(train) // size
    order = rng.permutation(len(train))[: num_batches * size].reshape(num_batches, size)
    num_mined = round(config.hard_mining_share * num_batches)
    pairs = _pairs_to_mine(config, train, train_confusion) if num_mined else []
    if pairs:
        mined = rng.choice(num_batches, num_mined, replace=False)
        order[mined] = mine_batches(
            train.labels, pairs, num_batches=num_mined, batch_size=size, rng=rng
        )
    chances = rng.random(num_batches)
    on_device = torch.from_numpy(order).to(device)
    return [
        Batch(indices=workers.shard(on_device[i]), mixing=_mixing(config, chances[i]))
        for i in range(num_batches)
    ]


def _mixing(config: FineTuneConfig, chance: float) -> str | None:
    """Which way to mix, for a number drawn from 0..1."""
    if chance < config.cutmix_probability:
        return "cutmix"
    if chance < config.cutmix_probability + config.mixup_probability:
        return "mixup"
    return None


class ConfusedPair(NamedTuple):
    """Two classes, first < second, and how often they are taken for each other.

    `rate` is the mean of two shares: of the first class' pictures that were called the second, and
    of the second's that were called the first.
    """

    first: int
    second: int
    rate: float


def _pairs_to_mine(
    config: FineTuneConfig, train: ImageSet, train_confusion: list[list[int]] | None
) -> list[ConfusedPair]:
    """The pair that the configuration aims at, from the first epoch on; without one, the pairs that
    the last epoch confused most."""
    aimed = pair_indices(config.pair, train.class_names)
    if aimed:
        return [ConfusedPair(*aimed, rate=1.0)]  # the only weight
    return confused_pairs(np.array(train_confusion)) if train_confusion else []


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
