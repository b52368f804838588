"""The finder: what it suggests on curves made by hand, and one real sweep on tiny pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.config import FineTuneConfig
from trainables.lr_finder import (
    LOWEST_RATE,
    Curve,
    has_clear_minimum,
    smooth,
    smoothed_curve,
    steepest,
    suggest,
    sweep,
    valley,
)
from trainables.training.optimizers import group_rates
from trainables.training.pictures import TrialData

CPU = torch.device("cpu")
TINY = FineTuneConfig(resolution_px=32, head_epochs=1, batch_size=8, unfreeze="top5")
RATES = np.geomspace(1e-5, 1e1, 61)  # ten a decade


def sigmoid_fall(*, at: float, width_decades: float = 0.3) -> np.ndarray:
    """A loss that falls from 2.3 to 0.3, fastest at a known rate."""
    return 0.3 + 2 / (1 + np.exp((np.log10(RATES) - np.log10(at)) / width_decades))


def curve_of(losses: np.ndarray) -> Curve:
    return Curve(rates=RATES[: len(losses)], losses=losses, diverged=False)


@pytest.mark.parametrize("at", [1e-3, 1e-2, 1e-1])
def test_the_steepest_place_of_a_sigmoid_is_its_middle(at):
    assert steepest(RATES, sigmoid_fall(at=at)) == pytest.approx(at, rel=1e-6)


def test_a_fall_after_the_minimum_does_not_count_as_steepest():
    losses = sigmoid_fall(at=1e-3)
    losses[50:55], losses[55:] = 9.0, 1.0  # wild steps at rates far too high
    assert steepest(RATES, losses) == pytest.approx(1e-3, rel=1e-6)


def test_the_valley_is_the_middle_of_the_descent():
    # Flat for 20 steps, down for 20, up for 21: the descent is the steps 19 to 40.
    losses = np.concatenate([np.full(20, 2.0), np.linspace(1.9, 0.5, 21), np.linspace(0.6, 3, 20)])
    assert valley(RATES, losses) == RATES[30]


def test_bumps_on_the_way_down_do_not_break_a_descent_in_two():
    losses = np.linspace(2.0, 0.5, 61)
    losses[[20, 40]] += 0.5
    assert valley(RATES, losses) == RATES[30]


@settings(deadline=None)  # milliseconds, but not on a busy machine
@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=30))
def test_both_rules_stay_on_the_way_to_the_minimum(losses):
    losses = np.array(losses)
    lowest = RATES[losses.argmin()]
    assert RATES[0] <= valley(RATES, losses) <= lowest
    assert RATES[0] <= steepest(RATES[: len(losses)], losses) <= lowest


@pytest.mark.parametrize(
    "losses",
    [
        np.full(61, 2.3),
        np.linspace(2.3, 4.0, 61),
        2.3 + 0.02 * np.sin(np.arange(61)),
        np.array([2.3]),
        np.empty(0),
    ],
    ids=["flat", "rising", "noise", "one step", "no step"],
)
def test_a_curve_without_a_clear_minimum_suggests_nothing(losses):
    assert not has_clear_minimum(losses)
    assert suggest(curve_of(losses)) == {}


def test_the_first_tenth_of_a_curve_does_not_count():
    losses = np.full(61, 2.0)
    losses[:6] = 9.0  # one unlucky first batch
    assert suggest(curve_of(losses)) == {}
    assert suggest(curve_of(sigmoid_fall(at=1e-2)))["steepest"] == pytest.approx(1e-2)


def test_smoothing_is_free_of_bias_from_the_first_value_on():
    assert smooth([3.0, 3.0, 3.0], 0.9) == pytest.approx([3, 3, 3])
    # Weights 0.9 and 1 over their sum 1.9.
    assert smooth([1.0, 2.0], 0.9) == pytest.approx([1, (0.9 * 1 + 1 * 2) / 1.9])
    assert smooth([1.0, 5.0], 0.0) == pytest.approx([1, 5])


def test_a_loss_above_four_times_its_lowest_has_diverged():
    def ends_diverged(*losses: float) -> bool:
        return smoothed_curve(RATES[: len(losses)], losses, num_steps=5).diverged  # unsmoothed

    assert not ends_diverged(2.0)
    assert not ends_diverged(2.0, 0.5, 2.0)
    assert ends_diverged(2.0, 0.5, 2.01)


@pytest.fixture
def data(coloured_squares) -> TrialData:
    return TrialData(train=coloured_squares(64), val=coloured_squares(8, seed=1), data_seed=0)


@pytest.mark.timeout(60)
def test_a_real_sweep_finds_a_rate_that_learns(data):
    told = []
    curve = sweep(
        TINY, data, phase=1, num_steps=40, device=CPU, report=lambda *point: told.append(point)
    )
    suggestions = suggest(curve)
    assert 1e-4 < suggestions["valley"] < 1.0
    assert 1e-4 < suggestions["steepest"] < 1.0
    assert curve.rates[0] == pytest.approx(LOWEST_RATE)
    assert (np.diff(curve.rates) > 0).all()
    assert told == [(i + 1, *p) for i, p in enumerate(zip(curve.rates, curve.losses, strict=True))]


@pytest.mark.timeout(60)
def test_one_seed_is_one_curve_and_the_callers_random_state_stays(data):
    config = replace(TINY, head="bn_dropout", dropout=0.5)

    def losses(seed: int) -> list[float]:
        swept = sweep(replace(config, seed=seed), data, phase=1, num_steps=12, device=CPU)
        return swept.losses.tolist()

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = losses(0)
    assert torch.equal(torch.rand(3), expected)
    assert losses(0) == first != losses(1)


@pytest.mark.timeout(60)
def test_phase_2_sweeps_every_group_from_a_trained_head(data, monkeypatch):
    ratios = set()

    def watch(optimizer):
        rates = group_rates(optimizer)
        ratios.update(round(rates[name] / rates["head"], 9) for name in rates.keys() - {"head"})
        return rates

    monkeypatch.setattr("trainables.lr_finder.group_rates", watch)
    config = replace(
        TINY,
        head_epochs=8,
        head_lr=1e-2,
        backbone_lr_ratio=0.25,
        layer_decay=1.0,
        label_smoothing=0.0,
    )
    head_alone = sweep(config, data, phase=1, num_steps=10, device=CPU)
    assert ratios == set()
    whole = sweep(config, data, phase=2, num_steps=10, device=CPU)
    assert ratios == {0.25}
    assert whole.losses[0] < 0.8 * head_alone.losses[0]


@pytest.mark.timeout(60)
def test_a_loss_that_is_no_number_ends_the_sweep_with_what_came_before(data, monkeypatch):
    given_losses = iter([2.0, 1.9, float("nan")])

    def broken(logits, labels, **_):
        return logits.sum() * 0 + next(given_losses)

    monkeypatch.setattr("trainables.lr_finder.soft_cross_entropy", broken)
    curve = sweep(TINY, data, phase=1, num_steps=10, device=CPU)
    assert curve.losses == pytest.approx(smooth([2.0, 1.9], 0.5))
    assert curve.diverged
