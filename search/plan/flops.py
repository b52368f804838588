"""How much a configuration has to compute: the yardstick between what was measured.

Floating-point operations say little about seconds, but they order configurations by cost, and
between two measured ones they tell how far along a third lies.
"""

from dataclasses import replace
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from search.plan.costs import Below, Demand
from trainables.config import FineTuneConfig
from trainables.models.network import (
    FineTuneModel,
    backbone_layers,
    backbone_parts,
    build_model,
    set_trainable,
)
from trainables.training.stages import FINETUNE_PHASE, Stage, plan_stages

COUNTED_PX = 32  # convolutions grow with the area, so one resolution tells all


def demand(config: FineTuneConfig) -> Demand:
    """What a configuration's trial asks for."""
    stages = [
        stage
        for stage in plan_stages(config)
        if stage.phase == FINETUNE_PHASE
        for _ in range(stage.num_epochs)
    ]
    return Demand(
        augmentation=config.augmentation,
        mixed_share=config.cutmix_probability + config.mixup_probability,
        head_epochs=config.head_epochs,
        frozen=(
            config.backbone,
            config.weights,
            config.resolution_px,
            config.interpolation,
            config.preprocessing,
            config.seed if config.weights == "none" else None,
        ),
        forward_flops=forward_flops(config),
        step_flops=tuple(step_flops(config, stage) for stage in stages),
        below=tuple(below(config, stage) for stage in stages),
    )


def forward_flops(config: FineTuneConfig) -> float:
    """Of the backbone's forward pass of one picture."""
    return _scale(config) * sum(_layers(config.backbone)[1].values())


def step_flops(config: FineTuneConfig, stage: Stage) -> float:
    """Of one picture's part of a training step: forward, then back to the unfreeze point."""
    backward = _backward_flops(config.backbone, stage.depth, stage.share)
    return forward_flops(config) + _scale(config) * backward


def below(config: FineTuneConfig, stage: Stage) -> Below:
    """What lies below the unfreeze point of a stage."""
    model, forward = _layers(config.backbone)
    frozen_statistics = config.batchnorm == "frozen"
    set_trainable(model, stage.depth, share=stage.share, freeze_statistics=frozen_statistics)
    num_parts = model.num_frozen_parts
    parts = backbone_parts(model.backbone)[:num_parts]
    inside = {layer for part in parts for module in part for _, layer in backbone_layers(module)}
    work = sum(forward[n] for n, layer in backbone_layers(model.backbone) if layer in inside)
    with torch.device("meta"), torch.no_grad():
        picture = torch.empty(1, 3, config.resolution_px, config.resolution_px)
        values = model.eval().features(picture, last=num_parts).numel()
    return Below(
        num_parts=num_parts,
        share=work / sum(forward.values()),
        picture_bytes=values * (2 if config.precision == "bf16" else 4) if num_parts else 0,
    )


@cache
def _backward_flops(backbone: str, depth: str | None, share: float) -> float:
    """Twice the forward pass of each trained layer: for the gradients of its input and kernel."""
    model, forward = _layers(backbone)
    set_trainable(model, depth, share=share)
    return 2 * sum(
        forward[name]
        for name, layer in backbone_layers(model.backbone)
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False))
    )


@cache
def _layers(backbone: str) -> tuple[FineTuneModel, dict[str, float]]:
    """A model without memory, and each layer's operations for one picture of `COUNTED_PX`."""
    config = replace(FineTuneConfig(), backbone=backbone, weights="none")
    with torch.device("meta"):
        model = build_model(config, num_classes=2).eval()
        picture = torch.empty(1, 3, COUNTED_PX, COUNTED_PX)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.backbone(picture)
    counted = {
        name.partition(".")[2]: float(sum(operations.values()))
        for name, operations in counter.get_flop_counts().items()
    }
    return model, {name: counted.get(name, 0.0) for name, _ in backbone_layers(model.backbone)}


def _scale(config: FineTuneConfig) -> float:
    return (config.resolution_px / COUNTED_PX) ** 2
