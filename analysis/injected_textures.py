"""Textures laid over pictures as brightness factors, and noise of the same strength to compare."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from analysis.perturbations.donors import Images

Field = npt.NDArray[np.float32]  # (S, S), within -1..1
CONTRAST = 0.5  # a factor runs from 1 - CONTRAST to 1 + CONTRAST


def inject_texture(images: Images, name: str, rng: np.random.Generator) -> Images:
    """Each picture times a texture of its own draw; `name` is one of `TEXTURES`."""
    fields = np.stack([TEXTURES[name](images.shape[1], rng) for _ in images])
    return _multiply(images, fields)


def inject_matched_noise(images: Images, name: str, rng: np.random.Generator) -> Images:
    """Likewise, but each texture's pixels are put in a random order: equally strong, shapeless."""
    fields = np.stack([TEXTURES[name](images.shape[1], rng) for _ in images])
    flat = rng.permuted(fields.reshape(len(images), -1), axis=1)
    return _multiply(images, flat.reshape(fields.shape))


def _multiply(images: Images, fields: npt.NDArray[np.float32]) -> Images:
    scaled = images * (1 + CONTRAST * fields[..., None])
    return np.clip(scaled, 0, 255).round().astype(np.uint8)


def stripes(side_px: int, rng: np.random.Generator) -> Field:
    """A sine wave within 45 degrees of upright, 3 to 6.5 px long if the side were 32."""
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) * (32 / side_px)
    angle, phase = rng.uniform(-np.pi / 4, np.pi / 4), rng.uniform(0, 2 * np.pi)
    length = rng.uniform(3.0, 6.5)
    wave = np.sin(2 * np.pi / length * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return wave.astype(np.float32)


def spots(side_px: int, rng: np.random.Generator) -> Field:
    """Bright blobs about 3 px wide, some 3 apart, on an even ground."""
    cloud = _cloud(side_px, 11, rng)
    return np.clip(3.0 * (cloud - 0.5), -0.3, 1.0).astype(np.float32)


def patches(side_px: int, rng: np.random.Generator) -> Field:
    """Large areas, bright or dark, with sharp borders, as on a cow."""
    return np.clip(4.0 * _cloud(side_px, 5, rng), -1.0, 1.0).astype(np.float32)


def _cloud(side_px: int, nodes: int, rng: np.random.Generator) -> Field:
    """Smooth noise of mean about 0 and standard deviation 1 from nodes x nodes values."""
    coarse = rng.standard_normal((nodes, nodes), dtype=np.float32)
    smooth = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return (smooth - smooth.mean()) / max(float(smooth.std()), 1e-6)


TEXTURES: Mapping[str, Callable[[int, np.random.Generator], Field]] = {
    "stripes": stripes,
    "spots": spots,
    "patches": patches,
}
