"""The batches of an epoch, planned on the host before it starts, so that no step waits for it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainables.config import FineTuneConfig, pair_indices
from trainables.data.images import ImageSet
from trainables.training.hard_mining import ConfusedPair, confused_pairs, mine_batches
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


def _pairs_to_mine(
    config: FineTuneConfig, train: ImageSet, train_confusion: list[list[int]] | None
) -> list[ConfusedPair]:
    """The pair that the configuration aims at, from the first epoch on; without one, the pairs that
    the last epoch confused most."""
    aimed = pair_indices(config.pair, train.class_names)
    if aimed:
        return [ConfusedPair(*aimed, rate=1.0)]  # the only weight
    return confused_pairs(np.array(train_confusion)) if train_confusion else []


def _mixing(config: FineTuneConfig, chance: float) -> str | None:
    """Which way to mix, for a number drawn from 0..1."""
    if chance < config.cutmix_probability:
        return "cutmix"
    if chance < config.cutmix_probability + config.mixup_probability:
        return "mixup"
    return None
