"""Preprocessings against the numbers that Keras and torchvision document."""

import json

import numpy as np
import pytest

from trainables.config import CHOICES
from trainables.models.resize import PREPROCESSING


def test_there_is_one_preprocessing_for_each_choice() -> None:
    assert tuple(PREPROCESSING) == CHOICES["preprocessing"]


@pytest.mark.parametrize(
    ("name", "black", "white"),
    [
        ("imagenet", (-2.117904, -2.035714, -1.804444), (2.248908, 2.428571, 2.64)),
        ("caffe", (-103.939, -116.779, -123.68), (151.061, 138.221, 131.32)),
        ("unit", (0, 0, 0), (1, 1, 1)),
    ],
)
def test_black_and_white_by_hand(name, black, white) -> None:
    normalisation = PREPROCESSING[name]
    np.testing.assert_allclose(normalisation.channels_of(0), black, atol=1e-6)
    np.testing.assert_allclose(normalisation.channels_of(255), white, atol=1e-6)


def test_only_caffe_swaps_red_and_blue() -> None:
    orders = {name: normalisation.channel_order for name, normalisation in PREPROCESSING.items()}
    assert orders == {"imagenet": "RGB", "caffe": "BGR", "unit": "RGB"}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_the_record_repeats_the_arithmetic(name) -> None:
    record = json.loads(json.dumps(PREPROCESSING[name].to_dict()))
    level = 77
    by_record = [
        (level * record["scale"] - mean) / std
        for mean, std in zip(record["mean"], record["std"], strict=True)
    ]
    np.testing.assert_allclose(PREPROCESSING[name].channels_of(level), by_record)
