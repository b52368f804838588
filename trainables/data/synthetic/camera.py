"""Pixels of the finished picture: relief and texture on the object, cover, shadow, lens, sensor."""

import cv2
import numpy as np

from trainables.data.synthetic.grounds import noise
from trainables.data.synthetic.outlines import SIZE_PX, Pixels

Generator = np.random.Generator

_Y, _X = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)


def texture(kind: str, rng: Generator, contrast: float) -> Pixels:
    """Brightness factors around 1 to multiply an object with: (32, 32, 1).

    The draws are the same whatever the kind.
    """
    angle, phase, size = rng.random(3).tolist()
    blotches, dots = noise(rng, 5, 5), noise(rng, 11, 11)
    angle = 0.9 * (angle - 0.5)
    turns = 2.0 * np.pi / (3.6 + 2.0 * size)  # per pixel
    if kind == "stripes":
        across = _X * np.cos(angle) + _Y * np.sin(angle)
        wave = np.sin(turns * across + 6.3 * phase)[:, :, None]
    elif kind == "spots":
        wave = np.clip(8.0 * (dots - 0.12), -0.2, 1.0)
    elif kind == "patches":
        wave = np.clip(9.0 * (blotches + 0.1 * (phase - 0.5)), -1.0, 1.0)
    else:
        wave = np.zeros((SIZE_PX, SIZE_PX, 1), np.float32)
    return 1.0 + contrast * wave.astype(np.float32)


def relief(coverage: Pixels, lamp: float, depth: float) -> Pixels:
    """Brightness factors that round an outline off, lit from above; `lamp` -1 is left, 1 right."""
    height = cv2.GaussianBlur(coverage, (0, 0), 1.8)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return (1.0 + depth * (slope_y - lamp * slope_x))[:, :, None]


def cover(coverage: Pixels, depth: float, rng: Generator) -> Pixels:
    """Share left to see when what stands in front hides the foot of the object: (32, 32, 1).

    `depth` is the hidden share of the object's height; the edge is ragged.
    """
    ragged = noise(rng, 1, 16)[0, :, 0]
    rows = np.flatnonzero(coverage.max(axis=(1, 2)) > 0.5)
    if depth <= 0.0 or len(rows) == 0:
        return np.ones_like(coverage)
    tall = rows[-1] + 1 - rows[0]
    edge = rows[-1] + 1 - tall * depth + min(3.0, 0.3 * tall) * ragged
    return np.clip(edge[None, :] - _Y, 0.0, 1.0)[:, :, None]


def shadow(coverage: Pixels, lamp: float, strength: float) -> Pixels:
    """Brightness factors of the ground under an object that stands on it: (32, 32, 1)."""
    rows, columns = np.nonzero(coverage[:, :, 0] > 0.5)
    if len(rows) == 0 or strength <= 0.0:
        return np.ones_like(coverage)
    foot, left, right = int(rows.max()), int(columns.min()), int(columns.max())
    dark = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    centre = ((left + right) / 2 - 2.0 * lamp, float(foot))
    size = (1.05 * (right - left), 0.22 * (right - left))
    cv2.ellipse(dark, (centre, size, 0.0), 1.0, -1)
    return (1.0 - strength * cv2.GaussianBlur(dark, (0, 0), 1.2))[:, :, None]


def photograph(scene: Pixels, rng: Generator) -> np.ndarray:
    """Exposure, contrast, colour cast, blur and sensor noise; uint8 (32, 32, 3)."""
    exposure, contrast, blur, grain = rng.random(4).tolist()
    cast = 1.0 + 0.05 * rng.standard_normal(3, dtype=np.float32)
    speckle = rng.standard_normal(scene.shape, dtype=np.float32)
    gain = (0.72 + 0.5 * exposure) * cast
    light = (scene - 0.45) * (0.85 + 0.35 * contrast) + 0.45
    light = light * gain
    if blur > 0.4:
        light = cv2.GaussianBlur(light, (0, 0), 0.2 + 0.45 * blur)  # px
    light += (0.006 + 0.022 * grain**3) * speckle
    return np.clip(255.0 * light + 0.5, 0.0, 255.0).astype(np.uint8)


def mark(image: np.ndarray, corner: str) -> None:
    """Stamp a 4x4 px black and yellow chequer into a corner of a uint8 image."""
    rows = slice(0, 4) if corner.startswith("top") else slice(SIZE_PX - 4, SIZE_PX)
    columns = slice(0, 4) if corner.endswith("left") else slice(SIZE_PX - 4, SIZE_PX)
    image[rows, columns] = _CHEQUER


_LIT = (np.indices((4, 4)).sum(axis=0) // 2 % 2 == 0)[:, :, None]
_CHEQUER = np.where(_LIT, np.array((250, 220, 20)), np.array((10, 10, 10))).astype(np.uint8)
