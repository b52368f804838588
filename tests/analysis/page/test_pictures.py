"""Pictures keep their pixels, heat maps their scale."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from analysis.page.pictures import data_uri, heat_picture, inline_image, overlay, signed_picture


def decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_a_small_picture_keeps_every_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    uri = data_uri(picture[::-1, ::-1])
    assert uri.startswith("data:image/webp;base64,")
    np.testing.assert_array_equal(decoded(uri), picture[::-1, ::-1])
    assert len(uri) < 4_500  # noise is the worst case: 3 bytes a pixel and a third for base64


def test_a_large_picture_is_shrunk_by_areas() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[::2] = 200
    shrunk = decoded(data_uri(picture))
    assert shrunk.shape == (32, 32, 3)
    assert set(shrunk.ravel()) == {100}


def test_descriptions_are_escaped() -> None:
    told = inline_image(np.zeros((2, 2, 3), np.uint8), 'a "<b>" class')
    assert 'alt="a &quot;&lt;b&gt;&quot; class"' in told


def test_one_scale_keeps_a_weak_map_dark() -> None:
    heat = np.array([[0.0, 1.0], [-5.0, 9.0]])
    weak, strong = heat_picture(heat, 10.0), heat_picture(10 * heat, 10.0)
    assert weak.shape == (2, 2, 3)
    np.testing.assert_array_equal(weak[0, 0], weak[1, 0])  # against the class: no support
    assert weak[0, 1].sum() < strong[0, 1].sum()
    brightness = heat_picture(np.linspace(0, 1, 9).reshape(3, 3), 1.0).sum(axis=2).ravel()
    assert (np.diff(brightness.astype(int)) > 0).all()


def test_signed_maps_are_white_at_0_and_differ_by_sign() -> None:
    drawn = signed_picture(np.array([[0.0, 2.0], [-2.0, -99.0]]), 2.0)
    assert drawn[0, 0].min() > 240
    assert not np.array_equal(drawn[0, 1], drawn[1, 0])
    np.testing.assert_array_equal(drawn[1, 0], drawn[1, 1])  # beyond the scale


@pytest.mark.parametrize("strongest", [0.0, 1.0, np.nan])
def test_no_heat_leaves_the_picture_alone(strongest: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(overlay(picture, np.zeros((8, 8)), strongest), picture)


def test_an_overlay_keeps_the_edges_of_its_cells() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    heat = np.zeros((7, 7))
    heat[0, 0] = 1.0
    touched = overlay(picture, heat, 1.0).any(axis=2)
    assert touched[:5, :5].all()
    assert touched.sum() == 25  # 32 / 7 px, cells of 4 or 5
