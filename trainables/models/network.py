"""Backbone and head of one trial, and which layers of the backbone a phase trains."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torchvision.models import get_model

from trainables.backbones import STAGES, UNFREEZE_DEPTHS
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.weights import load_backbone_state

_HEAD_STREAM = 0x68656164  # keeps the head's random numbers apart from a random backbone's


class FineTuneModel(nn.Module):
    """A torchvision ResNet without its classifier, and a head.

    Attributes:
        num_features: F, the width of the pooled features between the two.
        frozen: the backbone layers that `set_trainable` froze, and those whose statistics alone
            are frozen. They stay in eval mode whatever `train()` is asked, so the statistics of
            a frozen BatchNorm never move.
    """

    def __init__(self, backbone: nn.Module, head: nn.Sequential, num_features: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.num_features = num_features
        self.frozen: tuple[nn.Module, ...] = ()

    def features(self, images: Tensor, *, first: int = 0, last: int | None = None) -> Tensor:
        """Pooled features (B, F) of normalised images (B, 3, R, R).

        Args:
            images: or what the parts before `first` make of them.
            first: part of the backbone to begin with (see `backbone_parts`).
            last: part to end before; what the parts so far make of the images is returned then.
        """
        for part in backbone_parts(self.backbone)[first:last]:
            for layer in part:
                images = layer(images)
        return images

    def forward(self, images: Tensor, *, first: int = 0) -> Tensor:
        """Logits (B, K) of normalised images (B, 3, R, R); `first` as in `features`."""
        logits: Tensor = self.head(self.features(images, first=first))
        return logits

    @property
    def num_frozen_parts(self) -> int:
        """How many of the lowest parts do nothing but map their input: no layer is trained, no
        statistic moves."""
        parts = backbone_parts(self.backbone)
        return next((i for i, part in enumerate(parts) if self._moves(part)), len(parts))

    def _moves(self, part: tuple[nn.Module, ...]) -> bool:
        layers = [layer for module in part for _, layer in backbone_layers(module)]
        return any(
            layer not in self.frozen or any(p.requires_grad for p in layer.parameters())
            for layer in layers
        )

    def train(self, mode: bool = True) -> Self:
        """Put the head and the unfrozen layers in `mode`, the frozen layers in eval mode."""
        super().train(mode)
        for layer in self.frozen:
            layer.eval()
        return self


def build_model(
    config: FineTuneConfig, num_classes: int, *, pretrained: dict[str, Tensor] | None = None
) -> FineTuneModel:
    """Build backbone and head, all layers trainable; random parts come from `config.seed` alone.

    Args:
        config: backbone, weights, head, dropout and seed are read.
        num_classes: K, the width of the logits.
        pretrained: what `load_backbone_state` returned, to save loading it again; it is copied.
            Empty for a random start. None loads `config.weights`.

    Raises:
        UserError: the weights cannot be had or do not fit the backbone.
    """
    if pretrained is None:
        pretrained = load_backbone_state(config.backbone, config.weights)
    backbone, num_features = _build_backbone(config.backbone, pretrained, seed=config.seed)
    with _seeded(config.seed ^ _HEAD_STREAM):
        head = _build_head(config.head, num_features, num_classes, dropout=config.dropout)
    return FineTuneModel(backbone, head, num_features)


def backbone_parts(backbone: Any) -> list[tuple[nn.Module, ...]]:
    """A torchvision ResNet's forward pass as a row: stem, each block, pooling."""
    _, *stages = STAGES
    return [
        (backbone.conv1, backbone.bn1, backbone.relu, backbone.maxpool),
        *((block,) for stage in stages for block in getattr(backbone, stage)),
        (backbone.avgpool, nn.Flatten(), backbone.fc),
    ]


def backbone_layers(backbone: nn.Module) -> list[tuple[str, nn.Module]]:
    """Name and module of every layer that owns parameters, in the order of execution.

    In torchvision's ResNets that is the order of registration: within a block the shortcut's
    projection is registered, and computed, after the last BatchNorm of the main path.
    """
    return [
        (name, module)
        for name, module in backbone.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]


def stage_of(name: str) -> str:
    """The stage that a layer or a parameter of the backbone lies in, by its name."""
    first = name.partition(".")[0]
    return first if first in STAGES else "stem"


def trainable_layers(backbone: nn.Module, depth: str | None) -> list[tuple[str, nn.Module]]:
    """The layers of the backbone that an unfreeze depth trains; None trains none (phase 1)."""
    layers = backbone_layers(backbone)
    if depth is None:
        return []
    if depth not in UNFREEZE_DEPTHS:
        allowed = ", ".join(UNFREEZE_DEPTHS)
        raise UserError(f"unfreeze is {depth!r}; allowed: {allowed}, or None; choose one")
    top = UNFREEZE_DEPTHS[depth]
    if isinstance(top, int):
        return layers[-top:]
    trained = STAGES[STAGES.index(top) :]
    return [(name, layer) for name, layer in layers if stage_of(name) in trained]


def set_trainable(
    model: FineTuneModel,
    depth: str | None,
    *,
    share: float = 1.0,
    freeze_statistics: bool = False,
) -> None:
    """Train the head and the backbone layers of `depth`, freeze all others.

    Sets `requires_grad` and, for the mode the model is in, train or eval mode. May be called again
    with another depth: at the phase switch, or step by step for gradual unfreezing.

    Args:
        model: changed in place.
        depth: one of `UNFREEZE_DEPTHS`; None freezes the whole backbone (phase 1).
        share: of the depth's layers that are trained, counted from the top and rounded up.
        freeze_statistics: keep the running statistics of the trained BatchNorms as well; their
            scales and shifts are trained all the same.

    Raises:
        UserError: the depth is unknown; the model is unchanged.
    """
    layers = [module for _, module in trainable_layers(model.backbone, depth)]
    unfrozen = layers[len(layers) - math.ceil(len(layers) * share) :]
    model.requires_grad_(False)
    for module in (model.head, *unfrozen):
        module.requires_grad_(True)
    model.frozen = tuple(
        module
        for _, module in backbone_layers(model.backbone)
        if module not in unfrozen or (freeze_statistics and isinstance(module, nn.BatchNorm2d))
    )
    model.train(model.training)


def _build_backbone(
    name: str, pretrained: dict[str, Tensor], *, seed: int
) -> tuple[nn.Module, int]:
    """The ResNet with an identity in place of its classifier, and its number of features."""
    if pretrained:
        with torch.device("meta"):  # no time spent on an initialisation that is overwritten
            backbone = get_model(name, weights=None)
    else:
        with _seeded(seed):
            backbone = get_model(name, weights=None)
    num_features = backbone.fc.in_features
    backbone.fc = nn.Identity()
    if pretrained:
        backbone.to_empty(device="cpu")
        backbone.load_state_dict(pretrained)
    return backbone, num_features


def _build_head(kind: str, num_features: int, num_classes: int, *, dropout: float) -> nn.Sequential:
    if kind == "linear":
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(num_features, num_classes))
    if kind == "mlp":
        return nn.Sequential(
            nn.Linear(num_features, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, num_classes),
        )
    assert kind == "bn_dropout", kind  # FineTuneConfig refuses all others
    return nn.Sequential(
        nn.BatchNorm1d(num_features),
        nn.Dropout(dropout),
        nn.Linear(num_features, 256),
        nn.ReLU(),
        nn.BatchNorm1d(256),
        nn.Dropout(dropout),
        nn.Linear(256, num_classes),
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw from `seed`; the caller's random state is as before afterwards.

    Only the CPU's generator is seeded: `torch.manual_seed` would reseed every GPU as well.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
