"""How a backbone is trained from scratch, checked without PyTorch."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.errors import refuse


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train from scratch; raises UserError with all faults at once.

    Attributes:
        epochs: passes over the training pictures.
        batch_size: pictures a step; the last incomplete batch of an epoch is left out.
        max_lr: peak of the one-cycle rate (Smith 2018), for SGD with Nesterov momentum 0.9.
        resolutions_px: trained at in this order, each for an equal share of the epochs.
        label_smoothing: of the training loss.
        weight_decay: on convolutions only.
        seed: of the order, the crops and the mirror images.
    """

    epochs: int = 16
    batch_size: int = 256
    max_lr: float = 1.0
    resolutions_px: tuple[int, ...] = (40, 64)
    label_smoothing: float = 0.1
    weight_decay: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        refuse(self._faults())

    def resolution_px(self, epoch: int) -> int:
        """The resolution of an epoch (1-based)."""
        return self.resolutions_px[(epoch - 1) * len(self.resolutions_px) // self.epochs]

    def _faults(self) -> Iterator[str]:
        if self.epochs < 1:
            yield f"epochs is {self.epochs}; allowed: 1 or more; raise it"
        if self.batch_size < 2:
            yield f"batch_size is {self.batch_size}; allowed: 2 or more (BatchNorm); raise it"
        if not 0 < self.max_lr <= 100:
            yield f"max_lr is {self.max_lr}; allowed: above 0, up to 100; 1.0 suits batch 256"
        if not 1 <= len(self.resolutions_px) <= max(self.epochs, 1):
            yield (
                f"resolutions are {self.resolutions_px} px; allowed: from one up to one an epoch "
                f"({self.epochs}); change their number or the epochs"
            )
        if any(not 32 <= px <= 512 for px in self.resolutions_px):
            yield f"resolutions are {self.resolutions_px} px; allowed: 32 to 512 each; correct them"
