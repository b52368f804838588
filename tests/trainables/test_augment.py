"""Epoch views: a function of pictures, policy, data seed and epoch, and of nothing else."""

import numpy as np
import pytest

from trainables.augment import epoch_view


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)


def test_a_view_is_the_same_whatever_was_drawn_before(pictures):
    first = epoch_view(pictures, policy="standard", data_seed=1, epoch=3)
    np.random.seed(5)
    epoch_view(pictures, policy="standard", data_seed=1, epoch=2)
    assert np.array_equal(first, epoch_view(pictures, policy="standard", data_seed=1, epoch=3))


@pytest.mark.parametrize("change", [{"epoch": 4}, {"data_seed": 2}, {"policy": "flip"}])
def test_another_epoch_seed_or_policy_is_another_view(pictures, change):
    settings = {"policy": "standard", "data_seed": 1, "epoch": 3}
    first, other = (epoch_view(pictures, **s) for s in (settings, settings | change))
    assert first.shape == other.shape == pictures.shape
    assert first.dtype == np.uint8
    assert not np.array_equal(first, other)


def test_no_policy_leaves_the_pictures_alone(pictures):
    assert epoch_view(pictures, policy="none", data_seed=0, epoch=1) is pictures


def test_flip_mirrors_about_half_of_the_pictures(pictures):
    many = np.tile(pictures, (25, 1, 1, 1))
    view = epoch_view(many, policy="flip", data_seed=0, epoch=1)
    mirrored = (view == many[:, :, ::-1]).all(axis=(1, 2, 3))
    untouched = (view == many).all(axis=(1, 2, 3))
    assert (mirrored ^ untouched).all()
    assert 160 < mirrored.sum() < 240  # 400 throws of a coin: four standard deviations


def test_an_unknown_policy_is_refused(pictures):
    with pytest.raises(ValueError, match="allowed: none, flip, standard"):
        epoch_view(pictures, policy="wild", data_seed=0, epoch=1)
