"""CIFAR-10's classes, and which of them are bodies that bend. The names alone import nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
RIGID = ("airplane", "automobile", "ship", "truck")
ORGANIC = ("bird", "cat", "deer", "dog", "frog", "horse")


def organic_mask(class_names: Sequence[str]) -> "NDArray[np.bool_]":
    """Which of the classes are CIFAR-10's organic ones: bool (K,); all False when none is.

    Indexed with labels int64 (N,) it tells which pictures are: bool (N,).
    """
    import numpy as np

    return np.array([name in ORGANIC for name in class_names], dtype=bool)
