"""The gap between training and validation accuracy."""

import numpy as np
import pytest

from analysis.errors.overfitting import accuracy_gap, loss_slope, overfitting_section

FALLING = [1.0, 0.8, 0.7, 0.65, 0.62, 0.6]
RISING = [0.6] * 10 + [0.6, 0.66, 0.7, 0.76, 0.8]


def right(count, total):
    return np.arange(total) < count


def test_the_interval_is_newcombes():
    # Newcombe (1998), table II, method 10, (a): 56/70 - 48/80 = .2000, .0524 to .3339.
    found = accuracy_gap(right(56, 70), right(48, 80))
    assert [found.value, found.lower, found.upper] == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_the_slope_of_the_last_third():
    found = loss_slope([9.0, 9, 9, 9, 9, 9, 1, 2, 3.5])
    assert found.value == pytest.approx(1.25)
    assert found.lower < 1.25 < found.upper
    assert loss_slope([1.0, 2.0]) is None


@pytest.mark.parametrize(
    ("train", "losses", "verdict"),
    [
        (1950, RISING, "CONFIRMED"),
        (1950, FALLING, "INCONCLUSIVE"),
        (1950, [0.5], "INCONCLUSIVE"),
        (1650, RISING, "REFUTED"),
        (1720, RISING, "INCONCLUSIVE"),
    ],
)
def test_a_large_gap_and_a_rising_loss(train, losses, verdict):
    found = overfitting_section(right(train, 2000), right(1600, 2000), losses)
    assert found["claims"][0]["verdict"] == verdict
    assert found["gap"]["value"] == pytest.approx(train / 2000 - 0.8)


@pytest.mark.parametrize("count", [0, 2000])
def test_all_wrong_or_all_right_has_no_gap(count):
    found = overfitting_section(right(count, 2000), right(count, 2000), RISING)
    assert found["claims"][0]["verdict"] == "REFUTED"


def test_few_images_are_not_tested():
    found = overfitting_section(right(3, 5), right(3, 500), RISING)
    assert "5 images are too few" in found["untested"]
    assert found["claims"][0]["verdict"] == "NOT TESTED"
