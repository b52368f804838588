"""Every hyperparameter of one trial, checked when it is made."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainables.errors import refuse

CHOICES: dict[str, tuple[str, ...]] = {
    "backbone": ("resnet18", "resnet34", "resnet50", "resnet101"),
    "head": ("linear", "mlp", "bn_dropout"),
    "interpolation": ("nearest", "bilinear", "bicubic", "lanczos", "none"),
    "augmentation": ("none", "flip", "standard"),
    "unfreeze": ("top5", "top10", "top15", "top20", "stage4", "stage3", "all"),
    "optimizer": ("adamw", "sgd"),
    "schedule": ("onecycle", "cosine", "constant"),
    "precision": ("float32", "bf16"),
}
# Inclusive bounds; what lies outside is a typing mistake rather than an experiment.
BOUNDS: dict[str, tuple[float, float]] = {
    "dropout": (0.0, 0.9),
    "resolution_px": (32, 512),
    "cutmix_probability": (0.0, 1.0),
    "cutmix_alpha": (0.01, 10.0),
    "label_smoothing": (0.0, 0.5),
    "head_epochs": (1, 1000),
    "finetune_epochs": (0, 1000),
    "head_lr": (1e-7, 10.0),
    "backbone_lr_ratio": (1e-6, 10.0),
    "weight_decay": (0.0, 1.0),
    "batch_size": (2, 65536),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True, kw_only=True)
class FineTuneConfig:
    """One configuration of the two-phase fine-tune; raises UserError with all faults at once.

    What a text may be is in `CHOICES`, what a number may be in `BOUNDS`.
    """

    # Model
    backbone: str = "resnet18"
    weights: str = "embedded"  # a name of trainables.weights or a path to a state dict
    head: str = "linear"
    dropout: float = 0.0  # in the head, before its last layer
    # Pixels
    resolution_px: int = 64
    interpolation: str = "bicubic"
    augmentation: str = "standard"
    cutmix_probability: float = 0.0  # share of the batches
    cutmix_alpha: float = 1.0
    # Phase 1: frozen backbone
    head_epochs: int = 10
    head_lr: float = 3e-3  # the head's peak rate in both phases
    # Phase 2: partial unfreezing
    finetune_epochs: int = 10
    unfreeze: str = "all"
    backbone_lr_ratio: float = 0.3  # backbone rate = head rate x ratio
    # Both phases
    optimizer: str = "adamw"
    schedule: str = "onecycle"  # one cycle a phase
    weight_decay: float = 1e-2
    label_smoothing: float = 0.0
    batch_size: int = 128
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        refuse(self._faults())

    @property
    def total_epochs(self) -> int:
        return self.head_epochs + self.finetune_epochs

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "FineTuneConfig":
        """Build from `to_dict`'s output; unknown names are refused, absent ones take defaults."""
        known = [field.name for field in fields(cls)]
        refuse(
            f"setting {name!r} is unknown; allowed: {', '.join(known)}; remove or rename it"
            for name in values
            if name not in known
        )
        return cls(**values)

    def _faults(self) -> Iterator[str]:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                yield f"{name} is {value!r}; allowed: {', '.join(allowed)}"
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield f"{name} is {value!r}; allowed: a number from {low} to {high}"
            elif not low <= value <= high:
                yield f"{name} is {value}; allowed: {low} to {high}"
            elif isinstance(getattr(type(self), name), int) and not isinstance(value, int):
                yield f"{name} is {value}; allowed: a whole number from {low} to {high}"
        if not isinstance(self.weights, str) or not self.weights:
            yield f"weights is {self.weights!r}; allowed: a name or the path of a state dict"
        if self.interpolation == "none" and self.resolution_px != 32:
            yield (
                f"interpolation is 'none' with resolution_px {self.resolution_px}; "
                "allowed: 'none' keeps the native 32 px; set resolution_px to 32 or choose a kernel"
            )
