"""Changed pictures, uint8 in and out: backgrounds, halves, colours, textures and shapes.

Backgrounds are swapped between pictures: outside a fixed circle, on the rim, or in the outer frame.
Mixed-Same and Mixed-Rand of Xiao et al. 2020 ("Noise or Signal"), with a fixed mask in place of a
segmentation: at 32 px a segmentation fails on about half of the pictures, and a test that compares
two swaps through the same mask does not need a good one.

Colour is changed on the whole picture: hue rotations, and tints that all move it equally far. Never
through a mask, whose edge would be a new colour edge, and never greyscale, which harms every class
whether it needs its colour or not.

Textures are laid over pictures as brightness factors, with noise of the same strength to compare.
Shuffled tiles destroy shape and keep texture; blur does the reverse.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from analysis.perturbations.donors import Images

Region = Literal["ellipse", "rim", "frame"]
RADII: dict[Region, float] = {"ellipse": 11 / 32, "rim": 15 / 32}  # of the kept centre, in sides
FRAME = 4 / 32  # width of the swapped frame, in sides
BLUE_DEGREES = (170.0, 270.0)  # of hue: from cyan to violet
LEAST_SATURATION = 0.12  # below, a pixel is grey whatever its hue
Side = Literal["top", "bottom", "left", "right"]
SIDES: tuple[Side, ...] = get_args(Side)
ROTATIONS_DEGREES = (-60, 60, 120, 180)
TINT_DISTANCE = 40.0  # CIE 1976 colour difference (Delta E) between a pixel and its tinted self
# Directions in the a*b* plane of CIELAB, where sRGB's own primaries roughly lie.
TINT_DEGREES = {"red": 40.0, "green": 136.0, "blue": 290.0, "magenta": 335.0}
Field = npt.NDArray[np.float32]  # (S, S), within -1..1
CONTRAST = 0.5  # a factor runs from 1 - CONTRAST to 1 + CONTRAST
TILES_OF_32_PX = (8, 4)  # sides of the tiles of a 32 px picture; they grow with the picture


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


def replace_half(images: Images, donors: Images, side: Side) -> Images:
    """The pictures with their donors' pixels in that half; both (N, S, S, 3)."""
    middle = images.shape[1] // 2
    first, second = slice(None, middle), slice(middle, None)
    rows = {"top": first, "bottom": second}.get(side, slice(None))
    columns = {"left": first, "right": second}.get(side, slice(None))
    result = images.copy()
    result[:, rows, columns] = donors[:, rows, columns]
    return result


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
