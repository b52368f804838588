"""Intervals cover what they say they cover, and every draw comes from the given generator."""

import warnings

import numpy as np
import pytest

from analysis.statistics import intervals, metrics
from analysis.statistics.intervals import bootstrap, estimate, percentile_interval, proportion

CONFUSION = np.array([[80, 15, 5], [10, 30, 10], [2, 8, 190]])
MACRO_F1 = {"macro_f1": metrics.macro_f1}


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
