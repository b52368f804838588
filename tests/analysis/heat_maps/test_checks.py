"""The checks of heat maps against hand-made numbers and scipy.

Removed pixels leave no edge, and a map that points at what matters scores above chance.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.heat_maps import checks
from analysis.heat_maps.checks import imputed, neighbour_weights, pixel_ranks, road_scores


def even_cells(grid: int) -> np.ndarray:
    return checks.centre_coverage(np.arange(grid) / grid, 1 / grid)


@pytest.mark.parametrize("grid", [1, 2, 4, 8])
def test_the_centre_has_the_area_of_its_circle(grid: int) -> None:
    circle = np.pi * checks.CENTRE_RADIUS**2
    assert even_cells(grid).mean() == pytest.approx(circle, abs=0.01)


def test_a_flat_map_has_lift_1_a_dead_one_none() -> None:
    coverage = even_cells(8)
    maps = np.zeros((4, 8, 8))
    maps[0] = 3.0
    maps[1, 3, 3] = 1.0  # inside
    maps[2, 0, 0] = 1.0  # outside
    maps[3] = -1.0  # all against
    lifts = checks.centre_lifts(maps, coverage)
    np.testing.assert_allclose(lifts[:3], [1, 1 / coverage.mean(), 0])
    assert np.isnan(lifts[3])
    assert checks.is_dead(maps).tolist() == [False, False, False, True]


def test_two_by_two_cells_can_say_nothing_of_the_centre() -> None:
    maps = np.random.default_rng(0).random((5, 2, 2))
    np.testing.assert_allclose(checks.centre_lifts(maps, even_cells(2)), 1)


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 6, 5, 5))  # with ties: half the cells are below 0
    expected = [
        stats.spearmanr(np.maximum(a, 0).ravel(), np.maximum(b, 0).ravel()).statistic
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(checks.rank_correlations(first, second), expected)
    assert np.isnan(checks.rank_correlations(first[:1], np.zeros((1, 5, 5)))).all()


def test_a_picture_is_not_compared_with_itself() -> None:
    maps = np.zeros((4, 2, 2))
    maps[0, 0, 0], maps[1, 1, 1], maps[2, 0, 1], maps[3, 1, 0] = 2, 4, 1, 7
    means = checks.mean_maps_of_others(maps, np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(means[0], [[0, 0.5], [0, 0.5]])  # each with mass 1
    assert np.isnan(means[3]).all()  # the only one of its class


def test_shrinking_averages_areas() -> None:
    fine = np.arange(16.0).reshape(1, 4, 4)
    np.testing.assert_allclose(checks.shrunk(fine, 2)[0], [[2.5, 4.5], [10.5, 12.5]])


def test_interval_of_a_mean_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        values = np.append(rng.normal(size=40), np.nan)
        told = checks.typical(values, np.mean, num_resamples=200, rng=rng)
        hits += told.lower <= 0 <= told.upper
    assert stats.binomtest(hits, 200, 0.93).pvalue > 0.01  # percentile intervals are a bit short


@given(st.lists(st.floats(-9, 9), max_size=5))
def test_an_interval_holds_its_value_or_is_undefined(values: list[float]) -> None:
    told = checks.typical(
        np.array(values), np.median, num_resamples=20, rng=np.random.default_rng(0)
    )
    assert np.isnan(told.value) == (not values)
    assert not values or min(values) <= told.lower <= told.upper <= max(values)


def gradient(side_px: int) -> np.ndarray:
    """Grey levels that rise in equal steps to the right."""
    row = np.arange(side_px, dtype=np.uint8) * 5
    return np.broadcast_to(row[None, :, None], (side_px, side_px, 3)).copy()


def test_weights_of_the_neighbours_sum_to_1_inside() -> None:
    weights = neighbour_weights(4)
    sums = np.asarray(weights.sum(axis=1)).reshape(4, 4)
    np.testing.assert_allclose(sums[1:3, 1:3], 1)
    np.testing.assert_allclose(sums[0, 0], 2 / 6 + 1 / 12)
    assert weights.diagonal().max() == 0


def test_a_hole_in_a_gradient_is_filled_with_the_gradient() -> None:
    picture, hole = gradient(12), np.zeros((12, 12), bool)
    hole[4:8, 3:9] = True
    damaged = np.where(hole[..., None], 255, picture).astype(np.uint8)
    filled = imputed(damaged, hole.ravel(), neighbour_weights(12)).reshape(12, 12, 3)
    np.testing.assert_allclose(filled, picture, atol=1e-9)  # harmonic: the answer is exact


def test_ranks_follow_the_cells() -> None:
    maps = np.array([[[0.0, 1.0], [2.0, 3.0]]])
    ranks = pixel_ranks(maps, 4, np.random.default_rng(0)).reshape(4, 4)
    assert sorted(ranks[:2, :2].ravel()) == [0, 1, 2, 3]
    assert sorted(ranks[2:, 2:].ravel()) == [12, 13, 14, 15]


@pytest.mark.parametrize(("points_at_it", "sign"), [(1.0, 1), (-1.0, -1)])
def test_a_map_that_points_at_what_matters_scores(points_at_it: float, sign: int) -> None:
    images = np.full((4, 16, 16, 3), 100, np.uint8)
    images[:, 4:8, 8:12] = 250

    def predict(pictures: np.ndarray) -> np.ndarray:
        bright = pictures[:, 4:8, 8:12].mean(axis=(1, 2, 3)) - 175
        return np.stack([bright, -bright], axis=1).astype(np.float32)

    maps = np.random.default_rng(1).normal(scale=0.01, size=(4, 4, 4))
    maps[:, 1, 2] = points_at_it
    scores = road_scores(predict, images, maps, np.zeros(4, np.int64), seed=0)
    assert (sign * scores > 0.3).all()
    assert (np.abs(scores) <= 0.5).all()
