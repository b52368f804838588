"""Epoch views: a function of pictures, kinds, policy, data seed and epoch, and of nothing else."""

import os
import random

import albumentations as A
import cv2
import numpy as np
import pytest

from trainables.augmentations import POLICIES
from trainables.config import CHOICES
from trainables.errors import UserError
from trainables.training.augment import QuickAffine, epoch_view, policy_transforms

DRAWN = [policy for policy in POLICIES if policy != "none"]
ORGANIC = np.arange(16) % 3 > 0


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)


def test_policies_are_those_of_the_configuration():
    assert CHOICES["augmentation"] == tuple(POLICIES)


def test_importing_asks_no_package_index_for_a_newer_version():
    assert os.environ["NO_ALBUMENTATIONS_UPDATE"]


@pytest.mark.parametrize("policy", DRAWN)
def test_a_view_is_the_same_whatever_was_drawn_before(pictures, policy):
    settings = {"policy": policy, "data_seed": 1, "organic": ORGANIC}
    first = epoch_view(pictures, epoch=3, **settings)
    np.random.seed(5)
    random.seed(5)
    epoch_view(pictures, epoch=2, **settings)
    assert np.array_equal(first, epoch_view(pictures, epoch=3, **settings))


@pytest.mark.parametrize(
    "change", [{"epoch": 4}, {"data_seed": 2}, {"policy": "flip"}, {"policy": "adaptive"}]
)
def test_another_epoch_seed_or_policy_is_another_view(pictures, change):
    settings = {"policy": "standard", "data_seed": 1, "epoch": 3, "organic": ORGANIC}
    first, other = (epoch_view(pictures, **s) for s in (settings, settings | change))
    assert first.shape == other.shape == pictures.shape
    assert first.dtype == np.uint8
    assert not np.array_equal(first, other)


def test_no_policy_leaves_the_pictures_alone(pictures):
    assert epoch_view(pictures, policy="none", data_seed=0, epoch=1) is pictures


def test_the_pictures_themselves_are_never_written_to(pictures):
    before = pictures.copy()
    pictures.flags.writeable = False
    for policy in DRAWN:
        epoch_view(pictures, policy=policy, data_seed=0, epoch=1, organic=ORGANIC)
    assert np.array_equal(pictures, before)


def test_flip_mirrors_about_half_of_the_pictures(pictures):
    many = np.tile(pictures, (25, 1, 1, 1))
    view = epoch_view(many, policy="flip", data_seed=0, epoch=1)
    mirrored = (view == many[:, :, ::-1]).all(axis=(1, 2, 3))
    untouched = (view == many).all(axis=(1, 2, 3))
    assert (mirrored ^ untouched).all()
    assert 160 < mirrored.sum() < 240  # 400 throws of a coin: four standard deviations


def test_steps_draw_independently_of_each_other():
    # Left half dark, right half grey: what was flipped and what was lit can be read off.
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 100
    views = [
        epoch_view(picture[None], policy="standard", data_seed=seed, epoch=1)[0]
        for seed in range(100)
    ]
    flipped = np.array([view[:, :4].mean() > view[:, 4:].mean() for view in views])
    lit = np.array([not np.isin([0, 100], view).all() for view in views])
    for first in (flipped, ~flipped):
        for second in (lit, ~lit):
            assert (first & second).sum() > 8  # 25 expected: four standard deviations


@pytest.mark.parametrize("policy", ["standard", "flip"])
def test_only_adaptive_looks_at_the_kind(pictures, policy):
    settings = {"policy": policy, "data_seed": 1, "epoch": 3}
    blind = epoch_view(pictures, **settings)
    assert np.array_equal(blind, epoch_view(pictures, organic=ORGANIC, **settings))


def test_kinds_differ_in_turning_and_scaling_alone():
    rigid, organic = (policy_transforms("adaptive", organic=kind) for kind in (False, True))
    differences = {
        (type(step).__name__, name)
        for step, other in zip(rigid, organic, strict=True)
        for name, value in vars(step).items()
        if isinstance(value, int | float | tuple) and value != vars(other)[name]
    }
    assert differences == {("QuickAffine", "degrees"), ("QuickAffine", "scale")}
    assert (rigid[1].degrees, organic[1].degrees) == (15, 90)


def test_a_view_of_a_picture_does_not_depend_on_the_kinds_of_the_others(pictures):
    settings = {"policy": "adaptive", "data_seed": 1, "epoch": 3}
    other_kinds = ~ORGANIC
    other_kinds[7] = ORGANIC[7]
    first = epoch_view(pictures, organic=ORGANIC, **settings)
    second = epoch_view(pictures, organic=other_kinds, **settings)
    same = (first == second).all(axis=(1, 2, 3))
    assert same[7]
    assert same.sum() < 8  # the tenth that is not warped looks alike for both kinds


def test_adaptive_turns_organic_pictures_further():
    # A bright bar, upright: how far it is turned is the angle of its principal axis.
    bar = np.zeros((32, 32, 3), np.uint8)
    bar[8:24, 14:18] = 255
    organic = np.arange(200) % 2 == 0
    view = epoch_view(
        np.repeat(bar[None], 200, axis=0), policy="adaptive", data_seed=0, epoch=1, organic=organic
    )
    tilts = np.array([tilt_degrees(picture[:, :, 0]) for picture in view])
    # Unequal scales of the axes add at most atan(1.1 / 0.9 * tan(15 degrees)) - 15 = 3.1 degrees.
    assert 10 < tilts[~organic].max() < 18.5
    assert tilts[organic].max() > 80


def tilt_degrees(picture: np.ndarray) -> float:
    """The angle between the vertical and the longer axis of what is bright, 0..90."""
    y, x = np.nonzero(picture > 64)
    _, axes = np.linalg.eigh(np.cov(x, y))
    along_x, along_y = np.abs(axes[:, 1])
    return float(np.degrees(np.arctan2(along_x, along_y)))


@pytest.mark.parametrize("organic", [None, np.zeros(16, dtype=bool)])
def test_adaptive_without_organic_pictures_is_refused(pictures, organic):
    with pytest.raises(UserError, match=r"'adaptive' .* choose 'standard'"):
        epoch_view(pictures, policy="adaptive", data_seed=0, epoch=1, organic=organic)


def test_an_unknown_policy_is_refused(pictures):
    with pytest.raises(ValueError, match="allowed: none, flip, standard, adaptive"):
        epoch_view(pictures, policy="wild", data_seed=0, epoch=1)


@pytest.mark.parametrize("side_px", [9, 32])
@pytest.mark.parametrize(
    ("angle", "scales", "shifts"),
    [(0, (1, 1), (2, -3)), (90, (1, 1), (0, 0)), (-37, (0.8, 1.2), (-4, 1))],
)
def test_quick_affine_is_albumentations_affine(side_px, angle, scales, shifts):
    image = np.random.default_rng(1).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)
    theirs = A.Affine(
        rotate=(angle, angle),
        scale={axis: (scale, scale) for axis, scale in zip("xy", scales, strict=True)},
        translate_px={axis: (shift, shift) for axis, shift in zip("xy", shifts, strict=True)},
        border_mode=cv2.BORDER_REFLECT_101,
        p=1,
    )
    ours = QuickAffine(shift=0.5, degrees=90, scale=(0.5, 2), p=1)
    ours.py_random = Scripted([angle, *scales], list(shifts))
    assert np.array_equal(ours(image=image)["image"], theirs(image=image)["image"])


class Scripted(random.Random):
    """Draws what it was told to, once it has seen that the interval allows it."""

    def __init__(self, numbers: list[float], whole_numbers: list[int]):
        super().__init__(0)
        self.numbers, self.whole_numbers = numbers, whole_numbers

    def uniform(self, a: float, b: float) -> float:
        assert a <= self.numbers[0] <= b
        return self.numbers.pop(0)

    def randint(self, a: int, b: int) -> int:
        assert a <= self.whole_numbers[0] <= b
        return self.whole_numbers.pop(0)


def test_shifts_are_whole_pixels_up_to_the_limit_and_equally_frequent():
    image = np.zeros((32, 32, 3), np.uint8)
    image[16, 16] = 255
    warp = QuickAffine(shift=0.125, degrees=0, scale=(1, 1), p=1)
    warp.set_random_seed(0)
    places = np.array([np.argwhere(warp(image=image)["image"][:, :, 0])[0] for _ in range(900)])
    for axis in (0, 1):
        shifts, counts = np.unique(places[:, axis] - 16, return_counts=True)
        assert shifts.tolist() == list(range(-4, 5))
        assert counts.min() > 60  # 100 expected: four standard deviations
