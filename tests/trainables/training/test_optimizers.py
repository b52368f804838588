"""Groups, rates and schedules.

The average against its formula.
"""

import copy

import pytest
import torch
from torch import nn

from trainables.config import FineTuneConfig
from trainables.models.network import build_model
from trainables.training.optimizers import (
    WeightAverage,
    build_optimizer,
    build_schedule,
    group_rates,
    parameter_groups,
    restore_optimizer,
)


class TwoParts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)


def test_the_backbones_rate_is_the_heads_times_the_ratio():
    config = FineTuneConfig(head_lr=2e-3, backbone_lr_ratio=0.05, layer_decay=1.0)
    rates = group_rates(build_optimizer(TwoParts(), config))
    schedule_free = {g["name"]: g["lr"] for g in parameter_groups(TwoParts(), config)}
    assert schedule_free == pytest.approx({"head": 2e-3, "backbone": 1e-4})
    assert rates == pytest.approx(schedule_free)


def test_weight_decay_spares_biases_and_batchnorm():
    groups = parameter_groups(TwoParts(), FineTuneConfig(weight_decay=0.1))
    decays = {p.ndim: g["weight_decay"] for g in groups for p in g["params"]}
    assert decays == {4: 0.1, 2: 0.1, 1: 0.0}


def test_a_frozen_parameter_is_in_no_group():
    model = TwoParts()
    model.backbone.requires_grad_(False)
    groups = parameter_groups(model, FineTuneConfig())
    assert {group["name"] for group in groups} == {"head"}
    assert sum(len(group["params"]) for group in groups) == 2


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        (1.0, {"head": 1.0, "backbone": 0.5}),
        (0.5, {"head": 1.0, "layer4": 0.5, "layer3": 0.25, "layer2": 0.125, "layer1": 0.0625,
               "stem": 0.03125}),
    ],
)  # fmt: skip
def test_the_rate_falls_from_stage_to_stage_by_the_decay(decay, expected):
    config = FineTuneConfig(
        weights="none", head_lr=1.0, backbone_lr_ratio=0.5, layer_decay=decay, unfreeze="all"
    )
    model = build_model(config, 10)
    assert group_rates(build_optimizer(model, config)) == pytest.approx(expected)
    every = [p for g in parameter_groups(model, config) for p in g["params"]]
    assert len(every) == len(set(every)) == len(list(model.parameters()))


def test_a_later_stage_has_its_factor_on_all_rates():
    config = FineTuneConfig(head_lr=1.0, backbone_lr_ratio=0.5, layer_decay=1.0)
    groups = parameter_groups(TwoParts(), config, rate_factor=0.25)
    assert {g["name"]: g["lr"] for g in groups} == {"head": 0.25, "backbone": 0.125}


def test_a_plateau_halves_the_rate_after_two_epochs_without_gain():
    config = FineTuneConfig(head_lr=1.0, schedule="plateau", optimizer="sgd")
    optimizer = build_optimizer(TwoParts(), config)
    schedule = build_schedule(optimizer, config, num_steps=10)
    rates = []
    for loss in (1.0, 0.9, 0.95, 0.95, 0.8):
        schedule.step(loss)
        rates.append(group_rates(optimizer)["head"])
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5]


def rates_over(schedule: str, num_steps: int) -> list[float]:
    config = FineTuneConfig(head_lr=1.0, schedule=schedule, optimizer="sgd")
    optimizer = build_optimizer(TwoParts(), config)
    scheduler = build_schedule(optimizer, config, num_steps)
    rates = []
    for _ in range(num_steps):
        rates.append(group_rates(optimizer)["head"])
        optimizer.step()
        scheduler.step()
    return rates


def test_one_cycle_starts_at_a_25th_peaks_at_30_percent_and_ends_near_nothing():
    rates = rates_over("onecycle", 101)
    assert rates[0] == pytest.approx(1 / 25)
    assert max(range(101), key=rates.__getitem__) in (29, 30)
    assert max(rates) == pytest.approx(1.0, abs=5e-3)
    assert rates[-1] == pytest.approx(1 / 25 / 1e4, rel=1e-3)


def test_cosine_is_half_at_half_time():
    rates = rates_over("cosine", 100)
    assert (rates[0], rates[50]) == pytest.approx((1.0, 0.5))
    assert rates[25] == pytest.approx((1 + 2**-0.5) / 2)


def test_constant_is_constant():
    assert set(rates_over("constant", 10)) == {1.0}


@pytest.mark.parametrize("optimizer_name", ["adamw", "sgd"])
def test_restored_moments_lie_in_memory_as_their_parameters_do(optimizer_name):
    config = FineTuneConfig(optimizer=optimizer_name, head_lr=0.1)
    torch.manual_seed(0)
    model = TwoParts().to(memory_format=torch.channels_last)
    optimizer = build_optimizer(model, config)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    for slots in saved["state"].values():
        for key in slots:
            slots[key] = slots[key].contiguous()  # as a file gives them back

    twin = TwoParts().to(memory_format=torch.channels_last)
    twin.load_state_dict(model.state_dict())
    restored = build_optimizer(twin, config)
    restore_optimizer(restored, saved)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        theirs.grad = ours.grad.clone()
    optimizer.step()
    restored.step()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_average_equals_its_formula():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    average = WeightAverage(model, decay=0.9)
    expected = None
    for value in (1.0, 2.0, 4.0):
        with torch.no_grad():
            model[0].weight.fill_(value)
            model[1].running_mean.fill_(10 * value)
        average.update(model)
        expected = value if expected is None else 0.9 * expected + 0.1 * value
    assert average.model[0].weight.item() == pytest.approx(expected)
    assert average.model[1].running_mean.item() == pytest.approx(10 * expected)
    assert average.num_updates == 3


def test_a_restored_average_goes_on():
    model = nn.Linear(1, 1, bias=False)
    first = WeightAverage(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(8.0)
    first.update(model)
    second = WeightAverage(nn.Linear(1, 1, bias=False), decay=0.5)
    second.restore(first.model.state_dict(), first.num_updates)
    with torch.no_grad():
        model.weight.fill_(0.0)
    for average in (first, second):
        average.update(model)
    assert second.model.weight.item() == first.model.weight.item() == 4.0
