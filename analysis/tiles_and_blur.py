"""Shape destroyed and texture kept (shuffled tiles), texture destroyed and shape kept (blur)."""

import cv2
import numpy as np

from analysis.perturbations.donors import Images

TILES_OF_32_PX = (8, 4)  # sides of the tiles of a 32 px picture; they grow with the picture


def shuffle_tiles(images: Images, tile_of_32_px: int, rng: np.random.Generator) -> Images:
    """The tiles of each picture in an order of its own.

    Where the side is no multiple of the tile, a margin on the right and below stays as it is.

    Args:
        images: (N, S, S, 3).
        tile_of_32_px: the tile's side if S were 32.
    """
    count, side_px = images.shape[:2]
    tile_px = max(1, round(tile_of_32_px * side_px / 32))
    across = side_px // tile_px
    inner = images[:, : across * tile_px, : across * tile_px]
    grid = inner.reshape(count, across, tile_px, across, tile_px, 3).swapaxes(2, 3)
    tiles = grid.reshape(count, across**2, tile_px, tile_px, 3)
    order = rng.permuted(np.tile(np.arange(across**2), (count, 1)), axis=1)
    shuffled = tiles[np.arange(count)[:, None], order]
    result = images.copy()
    result[:, : across * tile_px, : across * tile_px] = (
        shuffled.reshape(count, across, across, tile_px, tile_px, 3)
        .swapaxes(2, 3)
        .reshape(inner.shape)
    )
    return result


def blur(images: Images, sigma_of_32_px: float) -> Images:
    """Gaussian blur whose standard deviation would be `sigma_of_32_px` px if the side were 32."""
    if sigma_of_32_px == 0:
        return images.copy()
    sigma_px = sigma_of_32_px * images.shape[1] / 32
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma_px) for image in images])


def add_noise(images: Images, sd_levels: float, rng: np.random.Generator) -> Images:
    """Gaussian noise, independent of pixel and channel, `sd_levels` grey levels (0..255) strong."""
    noise = rng.standard_normal(images.shape, dtype=np.float32) * sd_levels
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)
