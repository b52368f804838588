"""Paired comparisons on numbers made by hand."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from search.confirm.statistics import (
    bootstrap_interval,
    cheapest,
    compare_with_best,
    largest_bootstrap_coverage,
    paired_p_value,
    seeds_for_bootstrap,
    tie_set,
)

# Differences from row 1: 0.02, 0.04, 0.03 to row 0 and 0.30, 0.31, 0.32 to row 2.
FIGURES = np.array([[0.78, 0.77, 0.75], [0.80, 0.81, 0.78], [0.50, 0.50, 0.46]])


@pytest.fixture(autouse=True, scope="module")
def _without_garbage_collection():
    """statsmodels collects garbage at each call, which takes longer here than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


def compare(figures):
    return compare_with_best(figures, rng=np.random.default_rng(0), num_resamples=500)


def test_a_comparison_by_hand():
    best, comparisons = compare(FIGURES)
    assert best == 1
    assert [c.other for c in comparisons] == [0, 2]
    close, far = comparisons
    # t = 0.03 / (0.01 / sqrt 3) = 5.196 with 2 degrees of freedom
    assert close.difference == pytest.approx(0.03)
    assert close.p_value == pytest.approx(0.0351, abs=1e-4)
    assert close.t_interval == pytest.approx((0.00516, 0.05484), abs=1e-5)
    # 2.5 % two-sided: t = 6.205; Holm's strictest step for two comparisons
    assert close.least_significant == pytest.approx(6.205 * 0.01 / np.sqrt(3), abs=1e-5)
    # 0.31 / (0.01 / sqrt 3) = 53.7: Holm doubles the smaller p and leaves the larger
    assert far.p_value == pytest.approx(2 * stats.t.sf(0.31 / (0.01 / np.sqrt(3)), 2))
    assert far.p_holm == pytest.approx(2 * far.p_value)
    assert close.p_holm == pytest.approx(close.p_value)
    assert close.significant
    assert far.significant


def test_holm_can_take_away_what_one_test_alone_would_give():
    figures = np.array([[0.80, 0.81, 0.78], [0.78, 0.77, 0.75], [0.771, 0.767, 0.755]])
    _, comparisons = compare(figures)
    assert all(c.p_value < 0.05 for c in comparisons)
    assert not any(c.significant for c in comparisons)
    assert {c.p_holm for c in comparisons} == {2 * min(c.p_value for c in comparisons)}


def test_the_tie_set_is_the_best_and_what_is_not_worse():
    best, comparisons = compare(FIGURES)
    assert tie_set(best, comparisons) == (1,)
    noisy = FIGURES + np.array([[0.1, -0.1, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    best, comparisons = compare(noisy)
    assert tie_set(best, comparisons) == (0, 1)


def test_the_cheapest_of_a_tie_is_taken_and_no_other():
    costs = np.array([30.0, 20.0, 10.0, 20.0])
    assert cheapest((0, 1, 3), costs) == 1
    assert cheapest((0,), costs) == 0


def test_one_configuration_has_nothing_to_be_compared_with():
    assert compare(FIGURES[:1]) == (0, [])


def test_differences_without_scatter_prove_nothing():
    assert paired_p_value(np.array([0.02, 0.02])) == 1.0
    best, comparisons = compare(np.array([[0.5, 0.6], [0.25, 0.35]]))
    assert tie_set(best, comparisons) == (0, 1)
    assert comparisons[0].bootstrap_interval == pytest.approx((0.25, 0.25))


def test_what_all_share_in_a_seed_is_no_scatter():
    shared = np.array([0.1, -0.2, 0.05])
    plain, shifted = (compare(figures)[1] for figures in (FIGURES, FIGURES + shared))
    assert [c.p_value for c in shifted] == pytest.approx([c.p_value for c in plain])


def test_a_bootstrap_over_three_seeds_stays_within_them():
    low, high = bootstrap_interval(np.array([0.1, 0.2, 0.6]), 2000, np.random.default_rng(0))
    assert (low, high) == pytest.approx((0.1, 0.6))
    assert largest_bootstrap_coverage(3) == 0.75
    assert seeds_for_bootstrap() == 6
    assert largest_bootstrap_coverage(5) < 0.95 < largest_bootstrap_coverage(6)


@given(
    st.integers(1, 5).flatmap(
        lambda k: st.lists(
            st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3), min_size=k, max_size=k
        )
    )
)
@settings(max_examples=30, deadline=None)
def test_the_best_is_in_its_tie_set_and_nothing_is_better(rows):
    figures = np.array(rows)
    best, comparisons = compare_with_best(figures, rng=np.random.default_rng(0), num_resamples=10)
    assert best in tie_set(best, comparisons)
    for comparison in comparisons:
        assert comparison.difference >= -1e-12
        low, high = comparison.t_interval
        assert low - 1e-12 <= comparison.difference <= high + 1e-12
        assert comparison.p_holm >= comparison.p_value
        if comparison.difference > comparison.least_significant * (1 + 1e-9) + 1e-9:
            assert comparison.significant or np.ptp(
                figures[best] - figures[comparison.other]
            ) <= 1e-12  # fmt: skip


@pytest.mark.parametrize(
    ("num_configs", "most_named", "most_left_out"), [(2, 0.1, 0.1), (4, 0.02, 0.13)]
)
def test_equals_are_seldom_told_apart(num_configs, most_named, most_left_out):
    rng = np.random.default_rng(1)
    draws = rng.normal(0.8, 0.01, (200, num_configs, 4))
    named = left_out = 0
    for figures in draws:
        best, comparisons = compare_with_best(figures, rng=rng, num_resamples=2)
        tied = tie_set(best, comparisons)
        named += len(tied) == 1
        left_out += len(tied) < num_configs
    assert named / len(draws) <= most_named
    assert left_out / len(draws) <= most_left_out
