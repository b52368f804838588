"""Occlusion (Zeiler and Fergus 2014): hide a window, and see which logits fall.

It asks for predictions alone, so no layer has to be chosen; the price is one forward pass a window.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Predict = Callable[[Images], npt.NDArray[np.float32]]  # (N, S, S, 3) -> logits (N, K)

WINDOW, STRIDE = 1 / 4, 1 / 8  # of the side: 8 px every 4 px of 32, which makes 7 x 7 windows


def window_starts(side_px: int) -> list[int]:
    """The first pixel of each window along one side."""
    window_px, stride_px = window_and_stride(side_px)
    return list(range(0, side_px - window_px + 1, stride_px))


def window_and_stride(side_px: int) -> tuple[int, int]:
    """In pixels."""
    return max(round(WINDOW * side_px), 1), max(round(STRIDE * side_px), 1)


def occlusion_drops(predict: Predict, images: Images) -> npt.NDArray[np.float32]:
    """How far every logit falls when a window is painted in its picture's mean colour.

    Returns:
        (N, g, g, K), positive where the window spoke for the class. Linear in the logits: the drop
        of a difference is the difference of the drops.
    """
    starts = window_starts(images.shape[1])
    window_px, _ = window_and_stride(images.shape[1])
    mean_colours = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
    whole = predict(images)
    drops = np.empty((len(images), len(starts), len(starts), whole.shape[1]), np.float32)
    for row, top in enumerate(starts):
        for column, left in enumerate(starts):
            hidden = images.copy()
            hidden[:, top : top + window_px, left : left + window_px] = mean_colours
            drops[:, row, column] = whole - predict(hidden)
    return drops


def of_class(
    drops: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """The maps (N, g, g) of one logit a picture."""
    return drops[np.arange(len(targets)), :, :, targets]
