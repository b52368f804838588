"""Removed pixels leave no edge, and a map that points at what matters scores above chance."""

import numpy as np
import pytest

from analysis.heat_maps.checks import imputed, neighbour_weights, pixel_ranks, road_scores


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
