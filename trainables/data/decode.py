"""Encoded pictures of any size and mode to one uint8 array."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from trainables.data.pool import Picture, Pool, first_few
from trainables.errors import refuse

# Pillow and not OpenCV, which is faster on tiny JPEGs but hands out a truncated picture as if it
# were whole. Threads pay for photographs, whose decoding leaves the interpreter's lock.
THREADS = 4
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
# Pillow clips 16-bit grey to white on its way to RGB; of 16-bit colour it keeps the high byte.
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture in the size of the data, and the size that it had."""

    pixels: npt.NDArray[np.uint8]  # (base_px, base_px, 3)
    original_size: tuple[int, int]  # width, height in px


def decode(
    pool: Pool, indices: npt.NDArray[np.int64], *, base_px: int
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """Decode the pictures at `indices`, in that order.

    Greyscale, palette and CMYK pictures become RGB, of 16 bits a channel the high byte is kept, an
    alpha channel is dropped, an EXIF rotation is applied. 32-bit pictures (modes I and F) have no
    agreed way to 0..255 and are refused. Of several frames the first is taken. A picture of another
    size is cropped to its central square and resized once with the antialiased Lanczos kernel, the
    one kernel of Pillow's that is sharp in both directions.

    Returns:
        uint8 of shape (M, base_px, base_px, 3), and a note when pictures were resized.

    Raises:
        UserError: naming the pictures that cannot be decoded, the first ten and a count.
    """
    pictures = pool.pictures
    if isinstance(pictures, np.ndarray) and pictures.shape[1:] == (base_px, base_px, 3):
        return pictures[indices], ()

    images = np.empty((len(indices), base_px, base_px, 3), dtype=np.uint8)
    sizes = []
    faults = []
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = threads.map(lambda index: decode_one(pictures[index], base_px), indices)
        for slot, outcome in enumerate(outcomes):
            if isinstance(outcome, str):
                faults.append(
                    f"{pool.places[indices[slot]]} cannot be decoded ({outcome}); allowed: "
                    "a whole picture with 8 or 16 bits a channel; replace or remove it"
                )
            else:
                images[slot] = outcome.pixels
                sizes.append(outcome.original_size)
    refuse(first_few(faults))
    return images, _resize_notes(sizes, base_px)


def decode_one(picture: Picture, base_px: int) -> Decoded | str:
    """The decoded picture, as `decode` does it, or why it cannot be decoded."""
    try:
        with _opened(picture) as image:
            if image.mode not in (*EIGHT_BIT_MODES, *SIXTEEN_BIT_MODES):
                return f"its mode is {image.mode}"
            upright = ImageOps.exif_transpose(image)
            if image.mode in SIXTEEN_BIT_MODES:
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            upright = upright.convert("RGB")
    except Exception as error:  # damaged bytes make Pillow's plugins raise nearly anything
        return f"{type(error).__name__}: {error}"
    size = upright.size
    if size != (base_px, base_px):
        upright = ImageOps.fit(upright, (base_px, base_px), Image.Resampling.LANCZOS)
    return Decoded(pixels=np.asarray(upright), original_size=size)


def _opened(picture: Picture) -> Image.Image:
    if isinstance(picture, np.ndarray):
        return Image.fromarray(picture)
    return Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture)


def _resize_notes(sizes: list[tuple[int, int]], base_px: int) -> tuple[str, ...]:
    resized = sorted(
        (size for size in sizes if size != (base_px, base_px)), key=lambda size: size[0] * size[1]
    )
    if not resized:
        return ()
    smallest, largest = (f"{width}x{height}" for width, height in (resized[0], resized[-1]))
    were = smallest if smallest == largest else f"{smallest}..{largest}"
    return (
        f"{len(resized):,} of {len(sizes):,} pictures were {were} and were resized once "
        f"to {base_px}x{base_px} (central square, Lanczos)",
    )
