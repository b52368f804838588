"""Kendall's tau with weights, against hand-made numbers, scipy, and a known population."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.intervals import kendall_estimate, weighted_kendall


def test_equal_weights_are_plain_kendall() -> None:
    rng = np.random.default_rng(0)
    early, final = rng.normal(size=(2, 30))
    expected = stats.kendalltau(early, final).statistic
    assert weighted_kendall(early, final, np.full(30, 2.5)) == pytest.approx(expected)


def test_a_pair_weighs_the_product_of_its_weights() -> None:
    # Pairs (0, 1) and (0, 2) agree, (1, 2) does not: (3 + 3 - 1) / 7 instead of 1 / 3.
    values, ends = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    assert weighted_kendall(values, ends, np.array([3.0, 1.0, 1.0])) == pytest.approx(5 / 7)
    assert weighted_kendall(values, ends, np.ones(3)) == pytest.approx(1 / 3)


def test_undefined_without_a_pair() -> None:
    assert np.isnan(weighted_kendall(np.ones(1), np.ones(1), np.ones(1)))
    assert np.isnan(weighted_kendall(np.arange(3.0), np.ones(3), np.ones(3)))


def test_weights_undo_a_choice_by_the_early_value() -> None:
    # The upper half by the early value is always seen, the lower half with probability 0.2.
    rng = np.random.default_rng(1)
    final = rng.normal(size=200)
    early = final + rng.normal(0, 0.7, 200)
    truth = stats.kendalltau(early, final).statistic
    chance = np.where(early > np.median(early), 1.0, 0.2)
    weighted, unweighted = [], []
    for _ in range(200):
        seen = rng.random(200) < chance
        weighted.append(weighted_kendall(early[seen], final[seen], 1 / chance[seen]))
        unweighted.append(stats.kendalltau(early[seen], final[seen]).statistic)
    assert np.mean(weighted) == pytest.approx(truth, abs=0.015)
    assert np.mean(unweighted) < truth - 0.03


def test_interval_covers_the_value_and_narrows_with_the_sample() -> None:
    rng = np.random.default_rng(2)
    widths = []
    for count in (20, 200):
        final = rng.normal(size=count)
        early = final + rng.normal(0, 0.5, count)
        weights = np.where(np.arange(count) % 2, 1.0, 3.0)
        told = kendall_estimate(early, final, weights, num_resamples=300, rng=rng)
        assert told.lower < told.value < told.upper
        widths.append(told.upper - told.lower)
    assert widths[1] < widths[0] / 2
