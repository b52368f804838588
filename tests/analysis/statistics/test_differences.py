"""Effects against published values, hand-made numbers and a count of their false alarms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ztest

from analysis.statistics.differences import (
    Effect,
    against_the_mean,
    combine,
    mean_difference,
    passes,
    share_difference,
    undefined,
    word,
)
from analysis.statistics.paired_tests import holm


def paired(first_only: int, second_only: int, both_same: int) -> list[float]:
    return [1.0] * first_only + [-1.0] * second_only + [0.0] * both_same


def test_the_interval_is_walds_on_the_table_with_half_a_picture_more_in_each_cell() -> None:
    # Presidential approval, Agresti (2002), table 10.1: 794, 150, 86, 570.
    effect = share_difference(paired(150, 86, 1364))
    b, c, n = 150.5, 86.5, 1602
    error = math.sqrt((b + c) - (b - c) ** 2 / n) / n
    assert effect.centre == pytest.approx((b - c) / n)
    assert effect.standard_error == pytest.approx(error)
    assert effect.value == 64 / 1600
    assert effect.estimate.lower == pytest.approx(0.0211, abs=2e-4)
    assert effect.estimate.upper == pytest.approx(0.0587, abs=3e-4)


def test_no_change_at_all_keeps_a_width() -> None:
    effect = share_difference(np.zeros(50))
    assert effect.value == 0
    assert effect.estimate.lower < 0 < effect.estimate.upper
    assert effect.estimate.upper > 0.03


def test_false_alarms_are_as_rare_as_promised() -> None:
    rng = np.random.default_rng(0)
    changed = rng.choice([-1.0, 0.0, 1.0], p=[0.08, 0.84, 0.08], size=(2000, 100))
    alarms = np.mean([share_difference(row).p_value < 0.05 for row in changed])
    assert 0.02 < alarms < 0.065


def test_a_mean_has_the_z_test_of_statsmodels() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 400)
    effect = mean_difference(values)
    assert effect.p_value == pytest.approx(ztest(values)[1])


def test_too_few_pictures_are_undefined_and_never_pass() -> None:
    effect = share_difference(np.ones(9))
    assert math.isnan(effect.value)
    assert math.isnan(effect.p_value)
    assert not passes(effect, float(holm([effect.p_value])[0]), 0.1)
    assert word(effect, confirmed=False, floor=0.1) == "INCONCLUSIVE"


def test_what_is_detectable_is_detected_four_times_in_five() -> None:
    error, floor = 0.03, 0.10
    effect = Effect(value=0, centre=0, standard_error=error, num_images=100)
    true = effect.detectable(floor)
    draws = np.random.default_rng(0).normal(true, error, 20_000)
    passed = draws - 1.959964 * error >= floor
    assert passed.mean() == pytest.approx(0.8, abs=0.01)


def test_differences_in_differences_add_variances() -> None:
    one = Effect(value=0.5, centre=0.5, standard_error=0.3, num_images=10)
    other = Effect(value=0.1, centre=0.1, standard_error=0.4, num_images=20)
    gap = combine([one, other], [1, -1])
    assert gap.value == pytest.approx(0.4)
    assert gap.standard_error == pytest.approx(0.5)
    assert against_the_mean(one, [other, undefined(3)]) == gap
    assert math.isnan(against_the_mean(one, [undefined(3)]).value)


def test_holm_leaves_undefined_tests_out() -> None:
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)


@given(st.lists(st.floats(-1, 1), min_size=10, max_size=60))
def test_the_interval_holds_its_centre_and_stays_finite(values: list[float]) -> None:
    estimate = share_difference(values).estimate
    assert -1.5 < estimate.lower <= estimate.upper < 1.5
