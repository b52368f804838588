"""Changes of pictures: they change what they name, for any side and any generator."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.perturbations.battery import level_for, measure_drops
from analysis.perturbations.changes import (
    SIDES,
    TEXTURES,
    TINT_DEGREES,
    add_noise,
    background_mask,
    blue_share,
    blur,
    colour_histograms,
    inject_matched_noise,
    inject_texture,
    only_background,
    replace_half,
    rotate_hue,
    shuffle_tiles,
    swap_background,
    tint,
)
from analysis.perturbations.donors import extreme_donors, other_class_donors, same_class_donors

sides = st.integers(16, 40)
seeds = st.integers(0, 1000)


def pictures(side_px: int, seed: int = 0, count: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, side_px, side_px, 3)).astype(np.uint8)


@given(sides, seeds)
def test_a_swap_keeps_the_centre_and_takes_the_rest(side_px: int, seed: int) -> None:
    images, donors = pictures(side_px, seed), pictures(side_px, seed + 1)
    for region in ("ellipse", "rim", "frame"):
        mask = background_mask(side_px, region)
        swapped = swap_background(images, donors, region)
        assert (swapped[:, mask] == donors[:, mask]).all()
        assert (swapped[:, ~mask] == images[:, ~mask]).all()


def test_the_masks_are_as_large_as_they_say() -> None:
    assert background_mask(32, "frame").sum() == 32**2 - 24**2
    assert (~background_mask(32, "ellipse")).sum() == pytest.approx(np.pi * 11**2, rel=0.03)
    assert (~background_mask(32, "rim")).sum() == pytest.approx(np.pi * 15**2, rel=0.03)


def test_only_background_holds_nothing_of_the_centre() -> None:
    images = pictures(32)
    other = images.copy()
    other[:, ~background_mask(32, "ellipse")] = 0
    assert (only_background(images) == only_background(other)).all()


@given(sides, seeds, st.sampled_from([8, 4]))
def test_shuffled_tiles_are_the_same_pixels(side_px: int, seed: int, tile: int) -> None:
    images = pictures(side_px, seed)
    shuffled = shuffle_tiles(images, tile, np.random.default_rng(seed))
    assert (np.sort(shuffled.reshape(6, -1)) == np.sort(images.reshape(6, -1))).all()
    tile_px = round(tile * side_px / 32)
    means = images[:, :tile_px, :tile_px].mean(axis=(1, 2, 3))
    across = side_px // tile_px
    found = [
        shuffled[:, y * tile_px :, x * tile_px :][:, :tile_px, :tile_px].mean(axis=(1, 2, 3))
        for y in range(across)
        for x in range(across)
    ]
    assert np.isclose(np.array(found), means).any(axis=0).all()


def test_full_turn_of_the_hue_is_none_and_half_a_turn_is_the_complement() -> None:
    images = pictures(20)
    assert np.abs(rotate_hue(images, 360).astype(int) - images).max() <= 1
    red = np.full((1, 16, 16, 3), (200, 40, 40), np.uint8)
    assert rotate_hue(red, 180)[0, 0, 0].tolist() == [40, 200, 200]
    grey = np.full((1, 16, 16, 3), 90, np.uint8)
    assert (rotate_hue(grey, 60) == grey).all()


def test_tints_move_grey_equally_far_in_four_directions() -> None:
    import cv2

    grey = np.full((1, 16, 16, 3), 128, np.uint8)
    lab = {
        name: cv2.cvtColor(tint(grey, name)[0].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0, 0]
        for name in TINT_DEGREES
    }
    for moved in lab.values():
        assert np.hypot(moved[1], moved[2]) == pytest.approx(40, abs=1.5)
        assert moved[0] == pytest.approx(53.6, abs=1)


def test_blue_is_counted_in_the_frame_alone() -> None:
    images = np.full((2, 32, 32, 3), 128, np.uint8)
    images[0, background_mask(32, "frame")] = (80, 130, 220)
    images[1, 10:20, 10:20] = (80, 130, 220)
    assert blue_share(images).tolist() == [1.0, 0.0]


@given(seeds, st.integers(2, 5))
def test_donors_are_of_the_class_they_should_be(seed: int, num_classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(num_classes) * 3, 7))
    same, other = same_class_donors(labels, rng), other_class_donors(labels, rng)
    assert (labels[same] == labels).all()
    assert (same != np.arange(len(labels))).all()
    assert (labels[other] != labels).all()
    amounts = rng.random(len(labels))
    high = extreme_donors(amounts, labels, rng, highest=True)
    low = extreme_donors(amounts, labels, rng, highest=False)
    assert (labels[high] == labels).all()
    assert (high != np.arange(len(labels))).all()
    assert (amounts[high] > amounts[low]).all()


def test_donors_are_all_alike_likely() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    rng = np.random.default_rng(0)
    drawn = np.array([other_class_donors(labels, rng)[0] for _ in range(600)])
    assert np.bincount(drawn, minlength=6)[3:].min() > 150


@given(sides)
def test_a_half_is_the_donors_and_the_other_ones_own(side_px: int) -> None:
    images, donors = pictures(side_px), pictures(side_px, 1)
    shares = [(replace_half(images, donors, side) == donors).mean() for side in SIDES]
    assert all(0.4 < share < 0.6 for share in shares)
    top = replace_half(images, donors, "top")
    assert (top[:, : side_px // 2] == donors[:, : side_px // 2]).all()
    assert (top[:, side_px // 2 :] == images[:, side_px // 2 :]).all()


@pytest.mark.parametrize("name", TEXTURES)
def test_matched_noise_is_as_strong_as_its_texture(name: str) -> None:
    grey = np.full((20, 32, 32, 3), 120, np.uint8)
    texture = inject_texture(grey, name, np.random.default_rng(3)).astype(float)
    noise = inject_matched_noise(grey, name, np.random.default_rng(3)).astype(float)
    assert texture.std() == pytest.approx(noise.std(), rel=1e-6)
    assert texture.std() > 10

    def roughness(images: np.ndarray) -> float:
        return float(np.abs(np.diff(images, axis=1)).mean())

    assert roughness(noise) > 1.3 * roughness(texture)


def test_blur_and_noise_grow_with_their_level() -> None:
    images = pictures(24)
    distances = [np.abs(blur(images, s).astype(int) - images).mean() for s in (0, 0.5, 1, 2)]
    assert distances[0] == 0
    assert distances == sorted(distances)
    rng = np.random.default_rng(0)
    assert np.abs(add_noise(images, 5, rng).astype(int) - images).mean() < 5


def test_the_matched_level_lies_between_its_neighbours() -> None:
    levels = (1.0, 2.0, 4.0)
    drops = measure_drops(lambda level: {1: 0.1, 2: 0.3, 4: 0.25}[level], levels)
    assert drops.tolist() == [0.1, 0.3, 0.3]
    assert level_for(0.2, levels, drops) == pytest.approx(1.5)
    assert level_for(0.05, levels, drops) == pytest.approx(0.5)
    assert level_for(0.9, levels, drops) == 2.0
    assert level_for(0.0, levels, drops) == 0.0


def test_histograms_are_shares() -> None:
    images = np.zeros((2, 16, 16, 3), np.uint8)
    images[1] = 255
    histograms = colour_histograms(images)
    assert histograms[0, 0] == 1
    assert histograms[1, -1] == 1
    assert histograms.sum() == 2
