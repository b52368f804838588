"""Which classes are bodies that bend, and CIFAR-10's ten names. The names import nothing."""

from collections.abc import Collection, Sequence
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


def listed(text: str) -> tuple[str, ...]:
    """The names of a list such as "cat, dog", in its order; () for ""."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def organic_mask(
    class_names: Sequence[str], organic: Collection[str] = ORGANIC
) -> "NDArray[np.bool_]":
    """Which of the classes are among the organic ones: bool (K,); all False when none is.

    Indexed with labels int64 (N,) it tells which pictures are: bool (N,).
    """
    import numpy as np

    return np.array([name in organic for name in class_names], dtype=bool)
