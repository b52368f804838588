"""Every hyperparameter of one trial, checked when it is made.

A pair of classes that a trial aims at is one setting too, written "cat+dog".
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainables.augmentations import POLICIES
from trainables.backbones import BACKBONES, UNFREEZE_DEPTHS
from trainables.classes import ORGANIC, listed
from trainables.errors import refuse

CHOICES: dict[str, tuple[str, ...]] = {
    "backbone": tuple(BACKBONES),
    "head": ("linear", "mlp", "bn_dropout"),
    "preprocessing": ("imagenet", "caffe", "unit"),
    "interpolation": ("nearest", "bilinear", "bicubic", "lanczos", "none"),
    "augmentation": tuple(POLICIES),
    "unfreeze": tuple(UNFREEZE_DEPTHS),
    "unfreeze_mode": ("once", "gradual"),
    "batchnorm": ("train", "frozen"),
    "class_weights": ("none", "balanced", "deformable", "pair"),
    "optimizer": ("adamw", "sgd"),
    "schedule": ("onecycle", "cosine", "plateau", "constant"),
    "precision": ("float32", "bf16"),
}
# Inclusive bounds; what lies outside is a typing mistake rather than an experiment.
BOUNDS: dict[str, tuple[float, float]] = {
    "dropout": (0.0, 0.9),
    "resolution_px": (32, 512),
    "cutmix_probability": (0.0, 1.0),
    "cutmix_alpha": (0.01, 10.0),
    "mixup_probability": (0.0, 1.0),
    "mixup_alpha": (0.01, 10.0),
    "hard_mining_share": (0.0, 0.9),  # mined batches alone would never meet the other classes
    "deformable_factor": (0.1, 10.0),
    "pair_factor": (0.1, 10.0),
    "head_epochs": (1, 1000),
    "finetune_epochs": (0, 1000),
    "head_lr": (1e-7, 10.0),
    "backbone_lr_ratio": (1e-6, 10.0),
    "layer_decay": (0.01, 1.0),
    "weight_decay": (0.0, 1.0),
    "label_smoothing": (0.0, 0.5),
    "ema_decay": (0.0, 0.99999),
    "early_stopping_epochs": (0, 1000),
    "last_epoch": (0, 2000),
    "batch_size": (2, 65536),
    "seed": (0, 2**31 - 1),
}
JOINT = "+"


@dataclass(frozen=True, kw_only=True)
class FineTuneConfig:
    """One configuration of the two-phase fine-tune; raises UserError with all faults at once.

    What a text may be is in `CHOICES`, what a number may be in `BOUNDS`.
    """

    # Model
    backbone: str = "resnet18"
    weights: str = "embedded"  # a name of trainables.models.weights or a path to a state dict
    head: str = "linear"
    dropout: float = 0.0  # in the head, before its last layer
    # Pixels
    resolution_px: int = 64
    interpolation: str = "bicubic"
    preprocessing: str = "imagenet"
    augmentation: str = "standard"
    cutmix_probability: float = 0.0  # share of the batches
    cutmix_alpha: float = 1.0
    mixup_probability: float = 0.0  # share of the batches, others than CutMix's
    mixup_alpha: float = 0.2
    # Examples
    organic: str = ",".join(ORGANIC)  # classes that bend, for "adaptive" and "deformable"
    class_weights: str = "none"
    deformable_factor: float = 1.5  # weight of an organic class, where class_weights says so
    hard_mining_share: float = 0.0  # share of the batches made of confused pairs alone
    pair: str = ""  # such as "cat+dog": what mining and pair weights aim at; "": what is confused
    pair_factor: float = 1.5  # weight of the pair's classes, where class_weights says so
    # Phase 1: frozen backbone
    head_epochs: int = 10
    head_lr: float = 2e-3  # the head's peak rate in both phases
    # Phase 2: partial unfreezing
    finetune_epochs: int = 10
    unfreeze: str = "all"
    unfreeze_mode: str = "once"
    backbone_lr_ratio: float = 0.3  # backbone rate = head rate x ratio
    layer_decay: float = 0.65  # a stage's rate over that of the stage above it
    batchnorm: str = "frozen"  # above the unfreeze point; below it, always frozen
    early_stopping_epochs: int = 0  # epochs of phase 2 without a better macro-F1; 0: never
    # Both phases
    last_epoch: int = 0  # where training ends on the schedule of all epochs; 0: after all of them
    optimizer: str = "adamw"
    schedule: str = "onecycle"  # one cycle a stage of training
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    ema_decay: float = 0.98  # of the weights that are evaluated, a step; 0: the weights themselves
    batch_size: int = 32
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        refuse(self._faults())

    @property
    def organic_classes(self) -> tuple[str, ...]:
        """The names in `organic`."""
        return listed(self.organic)

    @property
    def total_epochs(self) -> int:
        return self.head_epochs + self.finetune_epochs

    @property
    def final_epoch(self) -> int:
        """The epoch after which a trial is over, unless it stops early."""
        return self.last_epoch or self.total_epochs

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
        yield from self._organic_faults()
        yield from self._pair_faults()
        if self.interpolation == "none" and self.resolution_px != 32:
            yield (
                f"interpolation is 'none' with resolution_px {self.resolution_px}; "
                "allowed: 'none' keeps the native 32 px; set resolution_px to 32 or choose a kernel"
            )
        if _is_after(self.last_epoch, self.head_epochs, self.finetune_epochs):
            yield (
                f"last_epoch is {self.last_epoch}; allowed: 0 to {self.total_epochs}, the epochs "
                "of both phases; 0 trains them all"
            )
        if _adds_up_to_more_than_one(self.cutmix_probability, self.mixup_probability):
            yield (
                f"cutmix_probability {self.cutmix_probability} and mixup_probability "
                f"{self.mixup_probability} add up to more than 1; a batch is mixed in one way; "
                "lower one of them"
            )

    def _organic_faults(self) -> Iterator[str]:
        if not isinstance(self.organic, str):
            yield f"organic is {self.organic!r}; allowed: classes such as 'cat,dog', or '' for none"
        elif not self.organic_classes:
            by_class = tuple(name for name, row in POLICIES.items() if row.needs_organic)
            for name, needing in (("augmentation", by_class), ("class_weights", ("deformable",))):
                value = getattr(self, name)
                if value in needing:
                    others = ", ".join(other for other in CHOICES[name] if other not in needing)
                    yield (
                        f"{name} is {value!r} and no class is organic; allowed: {others}; or name "
                        "the classes that bend (of a search: --organic CLASS,CLASS)"
                    )

    def _pair_faults(self) -> Iterator[str]:
        if not isinstance(self.pair, str) or (self.pair and not pair_names(self.pair)):
            yield f"pair is {self.pair!r}; allowed: two classes such as 'cat+dog', or '' for none"
        elif self.class_weights == "pair" and not self.pair:
            yield "class_weights is 'pair' without a pair; allowed: with pair, such as 'cat+dog'"


def _adds_up_to_more_than_one(*shares: float) -> bool:
    return all(isinstance(share, int | float) for share in shares) and sum(shares) > 1


def _is_after(epoch: int, *phases: int) -> bool:
    return all(isinstance(count, int) for count in (epoch, *phases)) and epoch > sum(phases)


def pair_text(first: str, second: str) -> str:
    """The setting of a pair; `pair_names` is its inverse."""
    return f"{first}{JOINT}{second}"


def pair_names(text: str) -> tuple[str, str] | None:
    """The two names of a pair's setting; None for "", or where the text is no pair."""
    names = [name.strip() for name in text.split(JOINT)]
    return (names[0], names[1]) if len(names) == 2 and all(names) else None


def pair_faults(names: tuple[str, str], class_names: Sequence[str]) -> Iterator[str]:
    """What keeps two names from being a pair of these classes."""
    known = ", ".join(class_names)
    for name in names:
        if name not in class_names:
            yield f"class {name!r} is unknown; allowed: two of {known}"
    if names[0] == names[1]:
        yield f"the pair is {names[0]!r} twice; allowed: two different classes of {known}"


def pair_indices(text: str, class_names: Sequence[str]) -> tuple[int, int] | None:
    """The classes' positions, the lower one first; None where there is no pair.

    Raises:
        UserError: a class of the pair is none of `class_names`.
    """
    names = pair_names(text)
    if names is None:
        return None
    refuse(f"pair is {text!r}: {fault}" for fault in pair_faults(names, class_names))
    first, second = sorted(class_names.index(name) for name in names)
    return first, second
