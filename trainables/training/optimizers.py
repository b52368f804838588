"""Parameter groups with differential rates, optimisers and schedules of one phase.

Also the running average of the weights (EMA) that can be evaluated in their place.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
)
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainables.backbones import STAGES
from trainables.config import FineTuneConfig
from trainables.models.network import FineTuneModel, stage_of

# The rate falls by `layer_decay` from one to the next.
STAGES_FROM_TOP = STAGES[::-1]


def parameter_groups(
    model: FineTuneModel, config: FineTuneConfig, *, rate_factor: float = 1.0
) -> list[dict[str, Any]]:
    """The trainable parameters as groups {params, lr, weight_decay, name}.

    The backbone's rate is the head's times the ratio (decks A, B), times `layer_decay` for each
    stage further down (Howard & Ruder 2018). Groups are called "head" and "backbone", with a
    decay the backbone's by their stage. Weight decay acts on matrices and kernels only, never on
    biases and BatchNorm's vectors.
    """
    parts: dict[str, list[nn.Parameter]] = {"head": list(model.head.parameters())}
    for name, parameter in model.backbone.named_parameters():
        parts.setdefault(stage_of(name), []).append(parameter)
    groups = []
    for part in ("head", *STAGES_FROM_TOP):
        trainable = [p for p in parts.get(part, []) if p.requires_grad]
        for decay, params in (
            (config.weight_decay, [p for p in trainable if p.ndim > 1]),
            (0.0, [p for p in trainable if p.ndim <= 1]),
        ):
            if params:
                groups.append(
                    {
                        "name": _group_name(part, config),
                        "params": params,
                        "lr": rate_factor * _peak_rate(part, config),
                        "weight_decay": decay,
                    }
                )
    return groups


def build_optimizer(
    model: FineTuneModel, config: FineTuneConfig, *, rate_factor: float = 1.0
) -> Optimizer:
    """AdamW, or SGD with Nesterov momentum 0.9, in one fused kernel a step."""
    groups = parameter_groups(model, config, rate_factor=rate_factor)
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


def build_schedule(
    optimizer: Optimizer, config: FineTuneConfig, num_steps: int
) -> LRScheduler | ReduceLROnPlateau:
    """A schedule over the `num_steps` optimiser steps of one stage; a group's `lr` is its peak.

    All but "plateau" step with the optimiser; "plateau" halves the rates when the validation loss
    has not fallen for two epochs, and steps once an epoch.
    """
    if config.schedule == "onecycle":
        # Smith 2018: warm up over 30 % of the stage from 1/25 of the peak, then anneal to nothing.
        peaks = [group["lr"] for group in optimizer.param_groups]
        return OneCycleLR(optimizer, max_lr=peaks, total_steps=max(num_steps, 2))
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=num_steps)
    if config.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    return ConstantLR(optimizer, factor=1.0, total_iters=0)


def group_rates(optimizer: Optimizer) -> dict[str, float]:
    """The current rate of each named group."""
    return {group["name"]: float(group["lr"]) for group in optimizer.param_groups}


def _peak_rate(part: str, config: FineTuneConfig) -> float:
    if part == "head":
        return config.head_lr
    stages_above = STAGES_FROM_TOP.index(part)
    return config.head_lr * config.backbone_lr_ratio * config.layer_decay**stages_above


def _group_name(part: str, config: FineTuneConfig) -> str:
    return "backbone" if part != "head" and config.layer_decay == 1.0 else part


class WeightAverage:
    """Exponential moving average: average = decay * average + (1 - decay) * weights, a step.

    BatchNorm's statistics are averaged likewise. The first update copies the weights. A trial in
    the middle of a one-cycle schedule is judged by its average, not at its hottest rate.
    """

    def __init__(self, model: FineTuneModel, decay: float) -> None:
        average = get_ema_multi_avg_fn(decay)
        self._averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True)

    @property
    def model(self) -> FineTuneModel:
        """The model with the averaged weights."""
        return cast(FineTuneModel, self._averaged.module)

    @property
    def num_updates(self) -> int:
        return int(self._averaged.n_averaged)

    def update(self, model: FineTuneModel) -> None:
        """Take in the weights after a step."""
        self._averaged.update_parameters(model)

    def restore(self, state: dict[str, Tensor], num_updates: int) -> None:
        """Take over a checkpoint's average."""
        self.model.load_state_dict(state)
        self._averaged.n_averaged.fill_(num_updates)
