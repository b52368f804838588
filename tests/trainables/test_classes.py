"""Which classes are rigid and which organic."""

import numpy as np

from trainables.classes import CIFAR10_CLASSES, ORGANIC, RIGID, organic_mask


def test_classes_are_alphabetical_and_each_is_rigid_or_organic() -> None:
    assert list(CIFAR10_CLASSES) == sorted(CIFAR10_CLASSES)
    assert sorted(RIGID + ORGANIC) == list(CIFAR10_CLASSES)


def test_organic_mask_of_classes_and_of_pictures() -> None:
    mask = organic_mask(("truck", "cat", "chair", "frog"))
    assert mask.tolist() == [False, True, False, True]
    assert mask[np.array([3, 0, 3])].tolist() == [True, False, True]


def test_no_organic_class_is_an_empty_mask_of_the_right_type() -> None:
    assert organic_mask(("chair", "table")).tolist() == [False, False]
    assert organic_mask(()).dtype == bool
