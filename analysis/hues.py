"""Colour changed on the whole picture: hue rotations, and tints that all move it equally far.

Never through a mask, whose edge would be a new colour edge, and never greyscale, which harms every
class whether it needs its colour or not.
"""

import cv2
import numpy as np

from analysis.perturbations.donors import Images

ROTATIONS_DEGREES = (-60, 60, 120, 180)
TINT_DISTANCE = 40.0  # CIE 1976 colour difference (Delta E) between a pixel and its tinted self
# Directions in the a*b* plane of CIELAB, where sRGB's own primaries roughly lie.
TINT_DEGREES = {"red": 40.0, "green": 136.0, "blue": 290.0, "magenta": 335.0}


def rotate_hue(images: Images, degrees: float) -> Images:
    """Every pixel's hue turned in HSV, saturation and value kept; (N, S, S, 3)."""
    rows = images.reshape(len(images), -1, 3).astype(np.float32) / 255
    hsv = cv2.cvtColor(rows, cv2.COLOR_RGB2HSV)  # hue in degrees
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return _pixels(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), images.shape)


def tint(images: Images, colour: str) -> Images:
    """Every pixel moved `TINT_DISTANCE` towards a colour of `TINT_DEGREES`, its lightness kept.

    What leaves sRGB's gamut is clipped to it.
    """
    rows = images.reshape(len(images), -1, 3).astype(np.float32) / 255
    lab = cv2.cvtColor(rows, cv2.COLOR_RGB2Lab)
    angle = np.deg2rad(TINT_DEGREES[colour])
    lab[..., 1] += TINT_DISTANCE * np.cos(angle)
    lab[..., 2] += TINT_DISTANCE * np.sin(angle)
    return _pixels(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), images.shape)


def colour_histograms(images: Images, levels: int = 4) -> np.ndarray:
    """Share of the pixels in each of levels^3 boxes of RGB; float64 (N, levels^3)."""
    codes = (images.reshape(len(images), -1, 3).astype(np.int64) * levels) // 256
    boxes = (codes * np.array([levels**2, levels, 1])).sum(axis=2)
    rows = np.arange(len(images))[:, None] * levels**3
    counts = np.bincount((boxes + rows).ravel(), minlength=len(images) * levels**3)
    return counts.reshape(len(images), levels**3) / boxes.shape[1]


def _pixels(rgb: np.ndarray, shape: tuple[int, ...]) -> Images:
    return (np.clip(rgb, 0.0, 1.0) * 255).round().astype(np.uint8).reshape(shape)
