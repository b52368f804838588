"""The pictures for TensorBoard, by their pixels."""

import numpy as np
import pytest

from search.monitoring.pictures import (
    BLUE,
    CELL_PX,
    FRAME_PX,
    GREEN,
    GRID_COLUMNS,
    GRID_PICTURES,
    HEADING_PX,
    RED,
    TILE_HEIGHT_PX,
    TILE_PX,
    TILE_WIDTH_PX,
    WHITE,
    confusion_picture,
    prediction_picture,
)
from trainables.data.images import ImageSet


def pictures(count: int, num_classes: int) -> ImageSet:
    return ImageSet(
        images=np.full((count, 8, 8, 3), 99, np.uint8),
        labels=np.arange(count, dtype=np.int64) % num_classes,
        class_names=tuple(f"class {k}" for k in range(num_classes)),
    )


def frames(data: ImageSet, predicted: np.ndarray) -> list[tuple[int, ...]]:
    """Which colours the picture has of those that frames can have."""
    colours = {colour for _, colour in prediction_picture(data, predicted).getcolors(2**20)}
    return [colour for colour in (GREEN, RED) if colour in colours]


def test_right_ones_have_a_green_frame_and_wrong_ones_a_red_one():
    data = pictures(40, 4)
    assert frames(data, data.labels) == [GREEN]
    assert frames(data, (data.labels + 1) % 4) == [RED]
    wrong = data.labels.copy()
    wrong[0] = 1
    assert frames(data, wrong) == [GREEN, RED]


def test_colour_is_not_the_only_mark():
    """In grey, what stands below a right and a wrong tile differs."""
    data, top = pictures(2, 2), 2 * HEADING_PX + TILE_PX + 2 * FRAME_PX  # of the first caption
    marks = [
        prediction_picture(data, np.array(said)).convert("L").crop((10, top, 22, top + 20))
        for said in ([0, 1], [1, 1])
    ]
    right, wrong = (np.asarray(mark) < 200 for mark in marks)
    assert right.any()
    assert wrong.any()
    assert not np.array_equal(right, wrong)


@pytest.mark.parametrize(
    ("num_classes", "count"), [(1, 1), (2, 200), (10, 60), (11, 5), (60, 60), (130, 300)]
)
def test_any_number_of_classes_and_pictures(num_classes, count):
    data = pictures(count, num_classes)
    picture = prediction_picture(data, np.zeros(count, np.int16))
    bands = -(-min(num_classes, GRID_PICTURES) // GRID_COLUMNS)
    each = max(GRID_PICTURES // num_classes, 1)
    assert picture.width <= TILE_WIDTH_PX * GRID_COLUMNS
    assert picture.height == HEADING_PX + bands * (HEADING_PX + each * TILE_HEIGHT_PX)


def test_the_shade_of_a_cell_is_its_share_of_the_row():
    picture = confusion_picture([[3, 0], [2, 2]], ("cat", "dog"))
    corner = picture.width - 8 - 2 * CELL_PX  # of the first cell
    shades = [
        [picture.getpixel((corner + CELL_PX * j + 3, corner + CELL_PX * i + 3)) for j in range(2)]
        for i in range(2)
    ]
    assert shades[0] == [BLUE, WHITE]
    half = tuple(round((w + b) / 2) for w, b in zip(WHITE, BLUE, strict=True))
    assert shades[1][0] == shades[1][1] == pytest.approx(half, abs=1)


def test_the_columns_of_a_matrix_can_be_of_any_length():
    counts = np.eye(3, dtype=int).tolist()
    names = ("a", "a class whose name is long", "b")
    assert confusion_picture(counts, names).width < 300
