"""Resampled sums behave as those of pictures drawn one by one."""

import numpy as np
import pytest

from analysis.statistics.intervals import resampled_sums


def test_the_sums_have_the_mean_and_covariance_of_drawn_pictures():
    rng = np.random.default_rng(0)
    first = rng.random(500) < 0.7
    columns = np.stack([first, first & (rng.random(500) < 0.5), rng.integers(-1, 2, 500)], axis=1)
    sums = resampled_sums(columns, 20_000, rng)
    assert sums.mean(axis=0) == pytest.approx(columns.sum(axis=0), abs=0.5)
    assert np.cov(sums.T) == pytest.approx(500 * np.cov(columns.T, ddof=0), rel=0.06, abs=3)


def test_constant_columns_never_move():
    assert (resampled_sums(np.ones((7, 2)), 5, np.random.default_rng(0)) == 7).all()
