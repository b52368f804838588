"""ECE against scikit-learn, its null, its interval and a temperature that is known."""

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve

from analysis.errors.calibration import (
    NUM_BINS,
    bins_of,
    calibration_section,
    consistency_samples,
    ece_interval,
    expected_calibration_error,
    reliability_curve,
    temperature_fit,
    top_label,
)


def calibrated(num_images, rng, num_classes=10, temperature=1.0):
    """Labels drawn from the softmax of logits that are then divided by a temperature."""
    logits = 2 * rng.normal(size=(num_images, num_classes))
    noise = rng.gumbel(size=logits.shape)
    return (logits + noise).argmax(axis=1), logits * temperature


def test_the_ece_is_what_scikit_learns_curve_gives():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 4000)
    right = (rng.random(4000) < confidence**2).astype(float)
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=NUM_BINS)
    counts = np.bincount(bins_of(confidence), minlength=NUM_BINS)
    counts = counts[counts > 0]
    expected = (counts * np.abs(accuracy - mean_confidence)).sum() / 4000
    assert expected_calibration_error(confidence, right) == pytest.approx(expected)
    rows = reliability_curve(confidence, right)
    assert [row["accuracy"]["value"] for row in rows] == pytest.approx(accuracy)
    assert [row["confidence"] for row in rows] == pytest.approx(mean_confidence)


def test_the_ece_of_a_worked_example():
    # Two pictures at .9, one right; two at .5, both right: (|1 - 1.8| + |2 - 1|) / 4.
    found = expected_calibration_error(np.array([0.9, 0.9, 0.5, 0.5]), np.array([1.0, 0, 1, 1]))
    assert found == pytest.approx(0.45)


def test_bins_are_closed_above():
    assert bins_of(np.array([0.0, 1 / 15, 0.07, 1.0])).tolist() == [0, 0, 1, 14]


def test_false_alarms_of_the_consistency_test_are_rare():
    """300 models that are calibrated by construction."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        confidence = rng.beta(4, 1, 400)
        value = expected_calibration_error(confidence, rng.random(400) < confidence)
        drawn = consistency_samples(confidence, 99, rng)
        alarms += (1 + (drawn >= value).sum()) / 100 <= 0.05
    assert stats.binom.ppf(0.025, 300, 0.05) <= alarms <= stats.binom.ppf(0.975, 300, 0.05)


def test_the_interval_covers_the_true_ece():
    """A model whose confidence is 10 points too high everywhere: ECE = .10."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(100):
        confidence = rng.uniform(0.3, 1, 1000)
        right = (rng.random(1000) < confidence - 0.1).astype(float)
        found = ece_interval(confidence, right, 100, rng)
        covered += found.lower <= 0.1 <= found.upper
    assert covered >= 85  # the ECE's own bias costs some of 95


def test_a_known_temperature_is_found():
    rng = np.random.default_rng(3)
    labels, logits = calibrated(8000, rng, temperature=2.5)
    found = temperature_fit(labels, logits, rng)
    assert found["temperature"] == pytest.approx(2.5, rel=0.05)
    assert found["ece_after"] < 0.5 * found["ece_before"]
    assert found["nll_after"] < found["nll_before"]
    assert found["num_images"] == 4000


@pytest.mark.parametrize(
    ("temperature", "verdict"), [(2.5, "CONFIRMED"), (1.0, "INCONCLUSIVE"), (0.5, "REFUTED")]
)
def test_overconfidence(temperature, verdict):
    labels, logits = calibrated(6000, np.random.default_rng(4), temperature=temperature)
    found = calibration_section(labels, logits, num_resamples=100, seed=0)
    assert found["claims"][0]["verdict"] == verdict
    assert (found["consistency_p"] < 0.05) == (temperature != 1.0)
    assert found["ece"]["lower"] <= found["ece"]["value"] <= found["ece"]["upper"]


@pytest.mark.parametrize("kind", ["all right", "all wrong", "constant logits", "two classes"])
def test_extreme_predictions_give_finite_numbers(kind):
    labels = np.arange(300) % 2
    logits = np.zeros((300, 2 if kind == "two classes" else 10), np.float32)
    if kind == "two classes":
        logits[:, 0] = np.random.default_rng(0).normal(size=300)
    elif kind != "constant logits":
        logits[np.arange(300), labels if kind == "all right" else 5] = 4
    found = calibration_section(labels, logits, num_resamples=50, seed=0)
    assert np.isfinite([*found["ece"].values(), *found["gap"].values()]).all()
    if kind in ("all right", "constant logits"):
        assert found["temperature"] is None
    assert sum(row["count"] for row in found["curve"]) == 300


def test_few_images_are_not_tested():
    found = calibration_section(np.zeros(30, int), np.zeros((30, 10)), num_resamples=50, seed=0)
    assert "30 test images" in found["untested"]
    assert found["claims"][0]["verdict"] == "NOT TESTED"


def test_the_top_label_is_the_softmax():
    confidence, right = top_label(np.array([1, 0]), np.array([[0.0, np.log(3)], [0.0, np.log(3)]]))
    assert confidence == pytest.approx([0.75, 0.75])
    assert right.tolist() == [1, 0]
