"""Parameter groups with differential rates, optimisers and schedules of one phase."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
)

from trainables.config import FineTuneConfig


def parameter_groups(model: nn.Module, config: FineTuneConfig) -> list[dict[str, Any]]:
    """The trainable parameters as groups {params, lr, weight_decay, name}.

    `name` is "head" or "backbone"; the backbone's rate is the head's times the ratio (decks A, B).
    Weight decay acts on matrices and kernels only, never on biases and BatchNorm's vectors.
    """
    rates = {"head": config.head_lr, "backbone": config.head_lr * config.backbone_lr_ratio}
    groups = []
    for name, rate in rates.items():
        trainable = [p for p in getattr(model, name).parameters() if p.requires_grad]
        for decay, params in (
            (config.weight_decay, [p for p in trainable if p.ndim > 1]),
            (0.0, [p for p in trainable if p.ndim <= 1]),
        ):
            if params:
                groups.append({"name": name, "params": params, "lr": rate, "weight_decay": decay})
    return groups


def build_optimizer(model: nn.Module, config: FineTuneConfig) -> Optimizer:
    """AdamW, or SGD with Nesterov momentum 0.9, in one fused kernel a step."""
    groups = parameter_groups(model, config)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, fused=True)
    return torch.optim.SGD(groups, momentum=0.9, nesterov=True, fused=True)


def restore_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state, each moment laid out in memory as its parameter is.

    A fused step walks parameter and moments in the order of memory: a contiguous moment beside a
    channels_last kernel would be applied to the wrong elements, without an error.
    """
    optimizer.load_state_dict(state)
    for parameter, slots in optimizer.state.items():
        for key, value in slots.items():
            if value.shape == parameter.shape:
                slots[key] = torch.empty_like(parameter).copy_(value)


def build_schedule(optimizer: Optimizer, config: FineTuneConfig, num_steps: int) -> LRScheduler:
    """A schedule over the `num_steps` optimiser steps of one phase; a group's `lr` is its peak."""
    if config.schedule == "onecycle":
        # Smith 2018: warm up over 30 % of the phase from 1/25 of the peak, then anneal to nothing.
        peaks = [group["lr"] for group in optimizer.param_groups]
        return OneCycleLR(optimizer, max_lr=peaks, total_steps=max(num_steps, 2))
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=num_steps)
    return ConstantLR(optimizer, factor=1.0, total_iters=0)


def group_rates(optimizer: Optimizer) -> dict[str, float]:
    """The current rate of each named group."""
    return {group["name"]: float(group["lr"]) for group in optimizer.param_groups}
