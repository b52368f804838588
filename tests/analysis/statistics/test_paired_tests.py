"""Holm's correction is statsmodels' own.

Paired differences against scipy's and published values.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.statistics.paired_tests import detectable, holm, paired_estimate, paired_p_value

# Student's own sleep data (1908): extra hours with two drugs, ten patients. R's documentation of
# `t.test(extra ~ group, paired = TRUE)`: t = -4.0621, p = 0.002833, interval -2.4598858 to
# -0.7001142, mean -1.58.
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_a_worked_example():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.empty(0)).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_it_is_statsmodels_own(p_values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gc.collect", lambda: 0)  # slow, and no result
        expected = multipletests(p_values, method="holm")[1]
    assert holm(np.array(p_values)) == pytest.approx(expected)


def test_students_sleep_data():
    estimated = paired_estimate(FIRST - SECOND)
    assert estimated.value == pytest.approx(-1.58)
    assert (estimated.lower, estimated.upper) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
    assert paired_p_value(FIRST - SECOND) == pytest.approx(0.002833, abs=1e-6)


def test_a_p_value_at_5_percent_is_an_interval_that_ends_at_0():
    differences = np.array([1.0, 2.0, 3.0])
    moved = differences - (differences.mean() - stats.t.isf(0.025, 2) * stats.sem(differences))
    assert paired_p_value(moved) == pytest.approx(0.05)
    assert paired_estimate(moved).lower == pytest.approx(0, abs=1e-12)


# Cohen (1988), table 2.3: a t-test of one sample with 34 (R's power.t.test: 33.4) pairs sees 0.5
# standard deviations with a power of 80 % at a two-sided 5 %.
def test_the_detectable_effect_is_cohens():
    differences = np.linspace(-1, 1, 34)
    assert detectable(differences) / differences.std(ddof=1) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("num_seeds", [3, 5])
def test_the_detectable_effect_is_seen_in_four_of_five_experiments(num_seeds):
    rng = np.random.default_rng(0)
    sds = detectable(np.arange(num_seeds, dtype=float)) / np.arange(num_seeds).std(ddof=1)
    draws = rng.normal(sds, 1, size=(4_000, num_seeds))
    seen = stats.ttest_1samp(draws, 0, axis=1).pvalue <= 0.05
    assert seen.mean() == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 4_000))


@pytest.mark.parametrize("differences", [[0.1, 0.1, 0.1], [0.1, math.nan, 0.2]])
def test_without_scatter_nothing_is_proven(differences):
    estimated = paired_estimate(np.array(differences))
    assert math.isnan(estimated.lower)
    assert math.isnan(estimated.upper)
    assert paired_p_value(np.array(differences)) == 1.0
    assert math.isnan(detectable(np.array(differences)))


def test_one_seed_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1,\); allowed: \(S,\), S >= 2"):
        paired_estimate(np.array([0.1]))
