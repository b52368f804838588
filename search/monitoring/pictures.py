"""The pictures of an ended trial for TensorBoard: confusion matrix and prediction grid.

Colour never tells anything alone: a count stands in each cell, and beside a prediction stands a
tick or a cross.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from trainables.data.images import ImageSet

WHITE, BLACK, GREY = (255, 255, 255), (20, 20, 20), (120, 120, 120)
BLUE = (8, 81, 156)  # of a cell with all pictures of its class
GREEN, RED = (0, 128, 60), (200, 30, 30)
FONT_PX = 13
CELL_PX = 30  # of the matrix
TILE_PX = 64  # of a picture in the grid
FRAME_PX = 4
GAP_PX = 10  # left of a tile
TILE_WIDTH_PX = 88
TILE_HEIGHT_PX = 94  # with its caption
HEADING_PX = 24
GRID_PICTURES = 60  # at most
GRID_COLUMNS = 10  # classes side by side
NAME_LENGTH = 10  # characters of a class name


def confusion_picture(counts: Sequence[Sequence[int]], class_names: Sequence[str]) -> Image.Image:
    """Counts (K, K), row = true class, as RGB; the shade is the share of the row."""
    font, names = _font(), [_short(name) for name in class_names]
    margin = 12 + int(max(font.getlength(name) for name in names))
    side = margin + 24 + CELL_PX * len(names)
    picture = Image.new("RGB", (side + 8, side + 8), WHITE)
    draw = ImageDraw.Draw(picture)
    draw.text((margin + 24, 4), "predicted", GREY, font)
    _write_upwards(picture, "true", (4, side), GREY)
    left = top = margin + 24
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        middle = top + CELL_PX * i + CELL_PX // 2
        draw.text((left - 6, middle), name, BLACK, font, anchor="rm")
        _write_upwards(picture, name, (left + CELL_PX * i + CELL_PX // 2 - 8, top - 6), BLACK)
        for j, count in enumerate(row):
            share = count / max(sum(row), 1)
            x, y = left + CELL_PX * j, top + CELL_PX * i
            shade = tuple(round(w + (b - w) * share) for w, b in zip(WHITE, BLUE, strict=True))
            draw.rectangle((x, y, x + CELL_PX, y + CELL_PX), shade, GREY)
            ink = WHITE if share > 0.5 else BLACK if count else GREY
            draw.text((x + CELL_PX // 2, middle), str(count), ink, font, anchor="mm")
    return picture


def prediction_picture(data: ImageSet, predicted: npt.NDArray[np.integer]) -> Image.Image:
    """A grid of pictures, their true class above a column, with what the model says of each, RGB.

    Green and a tick: right. Red and a cross: wrong. The same pictures for every trial on the same
    data: the first few of each class.

    Args:
        data: N pictures of K classes.
        predicted: class of each, (N,).
    """
    classes = range(min(len(data.class_names), GRID_PICTURES))
    each = max(GRID_PICTURES // len(data.class_names), 1)
    columns, bands = min(len(classes), GRID_COLUMNS), -(-len(classes) // GRID_COLUMNS)
    band_px = HEADING_PX + each * TILE_HEIGHT_PX
    font = _font()
    picture = Image.new("RGB", (TILE_WIDTH_PX * columns, HEADING_PX + bands * band_px), WHITE)
    draw = ImageDraw.Draw(picture)
    is_right = predicted == data.labels
    headline = f"{is_right.sum()} of {len(data)} validation pictures are right"
    draw.text(
        (GAP_PX, 4), f"{headline}. Each column: a true class, and the predictions", GREY, font
    )
    for k in classes:
        x = TILE_WIDTH_PX * (k % GRID_COLUMNS) + GAP_PX
        top = HEADING_PX + band_px * (k // GRID_COLUMNS)
        draw.text((x, top + 4), _short(data.class_names[k]), BLACK, font)
        for row, index in enumerate(np.flatnonzero(data.labels == k)[:each]):
            at = x, top + HEADING_PX + TILE_HEIGHT_PX * row
            said = data.class_names[predicted[index]]
            _draw_tile(picture, at, data.images[index], said, is_right=bool(is_right[index]))
    return picture


def _draw_tile(
    picture: Image.Image,
    at: tuple[int, int],
    image: npt.NDArray[np.uint8],
    said: str,
    *,
    is_right: bool,
) -> None:
    (x, y), draw, colour = at, ImageDraw.Draw(picture), GREEN if is_right else RED
    outer = TILE_PX + 2 * FRAME_PX
    draw.rectangle((x, y, x + outer - 1, y + outer - 1), colour)
    enlarged = Image.fromarray(image).resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST)
    picture.paste(enlarged, (x + FRAME_PX, y + FRAME_PX))
    _draw_mark(draw, (x, y + outer + 3), is_right, colour)
    draw.text((x + 14, y + outer + 1), _short(said), colour, _font())


def _draw_mark(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], is_right: bool, colour: tuple[int, ...]
) -> None:
    """A tick or a cross of 10 px; few fonts have them."""
    x, y = at
    if is_right:
        draw.line([(x, y + 6), (x + 4, y + 10), (x + 10, y + 1)], colour, 2)
    else:
        draw.line([(x + 1, y + 1), (x + 9, y + 10)], colour, 2)
        draw.line([(x + 9, y + 1), (x + 1, y + 10)], colour, 2)


def _write_upwards(
    picture: Image.Image, text: str, at: tuple[int, int], colour: tuple[int, ...]
) -> None:
    """`at`: the lower left corner."""
    font = _font()
    line = Image.new("RGB", (int(font.getlength(text)) + 2, FONT_PX + 4), WHITE)
    ImageDraw.Draw(line).text((0, 0), text, colour, font)
    upright = line.rotate(90, expand=True)
    picture.paste(upright, (at[0], at[1] - upright.height))


def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(FONT_PX)  # type: ignore[return-value]


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 2]}.."
