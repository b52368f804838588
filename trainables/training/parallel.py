"""The group of workers that trains one trial: shards of a batch, sums over the group."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """`size` data-parallel workers, this one being `rank`; one worker needs no process group."""

    rank: int = 0
    size: int = 1

    def shard(self, indices: Tensor) -> Tensor:
        """This worker's part of a batch or of a whole split: every `size`-th element."""
        return indices[self.rank :: self.size]

    def sum(self, values: Tensor) -> Tensor:
        """Elementwise sum over the group, in place."""
        if self.size > 1:
            torch.distributed.all_reduce(values)
        return values

    def share(self, value: int, device: torch.device) -> int:
        """Rank 0's value, on every worker."""
        if self.size == 1:
            return value
        return int(self.sum(torch.tensor(int(value) if self.rank == 0 else 0, device=device)))

    def wrap(self, model: nn.Module) -> nn.Module:
        """Average gradients over the group (DistributedDataParallel).

        Buffers are not broadcast: those of frozen BatchNorm are equal already, and those of a
        training one are each worker's own, rank 0's being the ones kept.
        """
        if self.size == 1:
            return model
        return nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)


SOLO = WorkerGroup()
