"""Backgrounds swapped between pictures: outside a fixed circle, on the rim, or in the outer frame.

Mixed-Same and Mixed-Rand of Xiao et al. 2020 ("Noise or Signal"), with a fixed mask in place of a
segmentation: at 32 px a segmentation fails on about half of the pictures, and a test that compares
two swaps through the same mask does not need a good one.
"""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from analysis.perturbations.donors import Images

Region = Literal["ellipse", "rim", "frame"]
RADII: dict[Region, float] = {"ellipse": 11 / 32, "rim": 15 / 32}  # of the kept centre, in sides
FRAME = 4 / 32  # width of the swapped frame, in sides
BLUE_DEGREES = (170.0, 270.0)  # of hue: from cyan to violet
LEAST_SATURATION = 0.12  # below, a pixel is grey whatever its hue


def background_mask(side_px: int, region: Region) -> npt.NDArray[np.bool_]:
    """True where the background lies: outside the centre, or in the outer frame; (S, S)."""
    offsets = np.abs(np.arange(side_px) + 0.5 - side_px / 2)
    if region in RADII:
        return np.hypot(*np.meshgrid(offsets, offsets)) > RADII[region] * side_px
    outside = offsets > side_px / 2 - round(FRAME * side_px)
    return outside[:, None] | outside[None, :]


def swap_background(images: Images, donors: Images, region: Region) -> Images:
    """The pictures with their donors' pixels in the region; both (N, S, S, 3)."""
    mask = background_mask(images.shape[1], region)
    return np.where(mask[None, :, :, None], donors, images)


def only_background(images: Images) -> Images:
    """The centre ellipse filled with the mean colour of what lies outside it (Only-BG)."""
    mask = background_mask(images.shape[1], "ellipse")
    fill = images[:, mask].mean(axis=1).round().astype(np.uint8)
    return np.where(mask[None, :, :, None], images, fill[:, None, None, :])


def blue_share(images: Images) -> npt.NDArray[np.float64]:
    """Share of the frame's pixels that are blue, from cyan to violet and not grey; (N,)."""
    frame = images[:, background_mask(images.shape[1], "frame")].astype(np.float32) / 255
    hue, saturation, _ = np.moveaxis(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV), -1, 0)
    low, high = BLUE_DEGREES
    is_blue = (hue >= low) & (hue <= high) & (saturation >= LEAST_SATURATION)
    return is_blue.mean(axis=1)


def frame_brightness(images: Images) -> npt.NDArray[np.float64]:
    """Mean luminance (Rec. 601) of the frame in grey levels 0..255; (N,)."""
    frame = images[:, background_mask(images.shape[1], "frame")]
    return (frame @ np.array([0.299, 0.587, 0.114])).mean(axis=1)
