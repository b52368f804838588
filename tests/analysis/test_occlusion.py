"""Occlusion finds what matters, and nothing where nothing does."""

import numpy as np
import pytest

from analysis.heat_maps.maps import occlusion_drops, of_class, window_and_stride, window_starts


def bright_pixel(row: int, column: int):
    """Class 0 is the red of one pixel, class 1 its negative."""

    def predict(images: np.ndarray) -> np.ndarray:
        red = images[:, row, column, 0].astype(np.float32)
        return np.stack([red, -red], axis=1)

    return predict


def test_only_the_windows_over_the_pixel_that_matters_count() -> None:
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[0, 13, 22] = 200
    drops = occlusion_drops(bright_pixel(13, 22), images)
    assert drops.shape == (2, 7, 7, 2)
    rows, columns = np.nonzero(drops[0, :, :, 0])
    assert (set(rows), set(columns)) == ({2, 3}, {4, 5})  # 8..15, 12..19 and 16..23, 20..27
    assert set(drops[0, :, :, 0][rows, columns]) == {200.0}  # less the mean colour, which is 0
    np.testing.assert_array_equal(of_class(drops, np.array([1, 0]))[0], -drops[0, :, :, 0])
    assert not drops[1].any()


def test_a_picture_of_one_colour_has_nothing_to_hide() -> None:
    images = np.full((1, 32, 32, 3), 77, np.uint8)
    before = images.copy()
    assert not occlusion_drops(bright_pixel(0, 0), images).any()
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("side_px", [1, 16, 28, 32, 64, 96])
def test_windows_stay_inside_at_any_size(side_px: int) -> None:
    window_px, _ = window_and_stride(side_px)
    starts = window_starts(side_px)
    assert starts[0] == 0
    assert starts[-1] + window_px <= side_px
    if side_px % 8 == 0:
        assert len(starts) == 7
        assert starts[-1] + window_px == side_px
