"""Folders of pictures as people have them: every mode, every size, other classes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

# Pillow's mode -> the file type that holds it.
MODES = {"1": "png", "L": "png", "P": "png", "RGB": "jpg", "RGBA": "png", "CMYK": "jpg"}
MODES |= {"I;16": "png"}


def odd_picture(
    rng: np.random.Generator, *, mode: str, size: tuple[int, int], level: int
) -> Image.Image:
    """Coarse blotches of about one grey level; size is (width, height) in px."""
    width, height = size
    blotches = np.clip(rng.integers(-50, 50, (5, 5, 3)) + level, 0, 255).astype(np.uint8)
    picture = Image.fromarray(blotches).resize(size, Image.Resampling.BICUBIC)
    grain = rng.integers(-12, 12, (height, width, 3))
    picture = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    return picture.convert(mode)


def write_odd_folder(
    split: Path,
    counts: Mapping[str, int],
    *,
    seed: int,
    modes: tuple[str, ...] = tuple(MODES),
) -> None:
    """SPLIT/CLASS/0000.png and so on, classes apart in brightness, modes and sizes in turn."""
    rng = np.random.default_rng(seed)
    for place, (name, count) in enumerate(counts.items()):
        (split / name).mkdir(parents=True)
        level = 40 + 170 * place // max(len(counts) - 1, 1)
        for index in range(count):
            mode = modes[index % len(modes)]
            size = (int(rng.integers(20, 90)), int(rng.integers(20, 90)))
            picture = odd_picture(rng, mode=mode, size=size, level=level)
            picture.save(split / name / f"{index:04}.{MODES[mode]}")
