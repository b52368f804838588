"""Resampled sums behave as those of pictures drawn one by one.

Kendall's tau with weights, against hand-made numbers, scipy, and a known population.

Intervals cover what they say they cover, and every draw comes from the given generator.
"""

import warnings

import numpy as np
import pytest
from scipy import stats

from analysis.statistics import intervals, metrics
from analysis.statistics.intervals import (
    bootstrap,
    estimate,
    kendall_estimate,
    percentile_interval,
    proportion,
    resampled_sums,
    weighted_kendall,
)

CONFUSION = np.array([[80, 15, 5], [10, 30, 10], [2, 8, 190]])
MACRO_F1 = {"macro_f1": metrics.macro_f1}


def test_the_sums_have_the_mean_and_covariance_of_drawn_pictures():
    rng = np.random.default_rng(0)
    first = rng.random(500) < 0.7
    columns = np.stack([first, first & (rng.random(500) < 0.5), rng.integers(-1, 2, 500)], axis=1)
    sums = resampled_sums(columns, 20_000, rng)
    assert sums.mean(axis=0) == pytest.approx(columns.sum(axis=0), abs=0.5)
    assert np.cov(sums.T) == pytest.approx(500 * np.cov(columns.T, ddof=0), rel=0.06, abs=3)


def test_constant_columns_never_move():
    assert (resampled_sums(np.ones((7, 2)), 5, np.random.default_rng(0)) == 7).all()


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


def resample(confusion: np.ndarray, *, seed: int = 0, num_resamples: int = 500) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return bootstrap(confusion, MACRO_F1, num_resamples=num_resamples, rng=rng)["macro_f1"]


def test_resamples_keep_class_sizes_and_never_invent_confusions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intervals, "MAX_CELLS_AT_ONCE", 9 * 64)
    confusion = CONFUSION.copy()
    confusion[0, 2] = 0
    rng = np.random.default_rng(0)
    batches = list(intervals.stratified_resamples(confusion, 150, rng))
    assert [len(batch) for batch in batches] == [64, 64, 22]
    for batch in batches:
        np.testing.assert_array_equal(batch.sum(axis=2), np.tile(confusion.sum(1), (len(batch), 1)))
        assert not batch[:, 0, 2].any()


def test_the_generator_is_the_only_source_of_chance() -> None:
    np.testing.assert_array_equal(resample(CONFUSION), resample(CONFUSION))
    assert (resample(CONFUSION) != resample(CONFUSION, seed=1)).any()


def test_equal_to_drawing_images_one_by_one() -> None:
    """The multinomial over rows is the bootstrap of images within each class."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], CONFUSION.sum(axis=1))
    predictions = np.concatenate([np.repeat([0, 1, 2], row) for row in CONFUSION])
    drawn = []
    for _ in range(1000):
        chosen = np.concatenate(
            [rng.choice(np.flatnonzero(labels == k), (labels == k).sum()) for k in range(3)]
        )
        confusion = metrics.confusion_matrix(labels[chosen], predictions[chosen], 3)
        drawn.append(metrics.macro_f1(confusion))
    expected = percentile_interval(np.array(drawn))
    np.testing.assert_allclose(
        percentile_interval(resample(CONFUSION, num_resamples=4000)), expected, atol=0.006
    )


def test_interval_covers_the_true_macro_f1_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    shares = CONFUSION / CONFUSION.sum(axis=1, keepdims=True)
    sizes = np.array([200, 200, 200])
    truth = float(metrics.macro_f1(sizes[:, None] * shares))
    covered = []
    for test_set in rng.multinomial(sizes, shares, size=(300, 3)):
        lower, upper = percentile_interval(resample(test_set, seed=1, num_resamples=400))
        covered.append(lower <= truth <= upper)
    # Nominal 0.95; three standard errors of 300 draws are 0.04.
    assert 0.90 <= np.mean(covered) <= 0.99


def test_interval_of_a_perfect_model_is_a_point() -> None:
    samples = resample(np.diag([10, 20]))
    assert estimate(1.0, samples).to_dict() == {"value": 1.0, "lower": 1.0, "upper": 1.0}


def test_undefined_columns_stay_undefined_without_a_warning() -> None:
    samples = np.array([[0.1, np.nan, np.nan], [0.3, np.nan, 0.5]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower, upper = percentile_interval(samples, confidence=0.5)
    np.testing.assert_allclose(lower, [0.15, np.nan, 0.5])
    np.testing.assert_allclose(upper, [0.25, np.nan, 0.5])


def test_wilson_interval() -> None:
    found = proportion(8, 10)  # textbook: 0.490 to 0.943
    assert (found.value, found.lower, found.upper) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert proportion(0, 20).upper > 0.1
    assert proportion(20, 20).lower < 0.9
    assert np.isnan(proportion(0, 0).value)


@pytest.mark.parametrize("count", [1, 2, 20, 100])
def test_expected_maximum(count: int) -> None:
    draws = np.random.default_rng(0).normal(size=(20_000, count)).max(axis=1)
    assert intervals.expected_maximum(count) == pytest.approx(draws.mean(), abs=0.05)
