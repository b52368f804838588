"""Tiny data sets in each of the layouts that the sources read.

Folders of pictures as people have them: every mode, every size, other classes.
"""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

Images = npt.NDArray[np.uint8]
# Pillow's mode -> the file type that holds it.
MODES = {"1": "png", "L": "png", "P": "png", "RGB": "jpg", "RGBA": "png", "CMYK": "jpg"}


def textured(count: int, *, seed: int, side: int = 32) -> Images:
    """Random pictures of coarse blotches under fine grain, no two alike; (count, side, side, 3)."""
    rng = np.random.default_rng(seed)
    blotches = rng.uniform(40, 215, size=(count, 8, 8, 3)).repeat(side // 8, 1).repeat(side // 8, 2)
    grain = rng.uniform(-20, 20, size=(count, side, side, 3))
    return (blotches + grain).astype(np.uint8)


def png(pixels: npt.NDArray[np.generic] | Image.Image) -> bytes:
    """A picture as PNG bytes, its pixels exact."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def write_folder(split: Path, pictures: Images, labels: Sequence[str]) -> None:
    """SPLIT/CLASS/0000.png and so on."""
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        (split / label).mkdir(parents=True, exist_ok=True)
        (split / label / f"{index:04}.png").write_bytes(png(picture))


def write_parquet(
    path: Path,
    pictures: Sequence[bytes | None],
    labels: Sequence[int | str | None],
    *,
    image_column: str = "image",
    label_column: str = "label",
    class_names: Sequence[str] | None = None,
) -> None:
    """One file in the Hugging Face image layout, with or without the names of its classes."""
    cells = [{"bytes": picture, "path": None} for picture in pictures]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({image_column: pa.array(cells, type=kind), label_column: pa.array(labels)})
    if class_names is not None:
        features = {label_column: {"names": list(class_names), "_type": "ClassLabel"}}
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


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
