"""Right and wrong predictions as pictures: a random sample, and a strip for every confusion.

The section holds positions and figures alone; the pixels are added when the page is made.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.statistics import metrics
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.picture_choice import (
    NUM_CONFIDENT,
    NUM_RANDOM,
    pair_errors,
    probabilities,
    random_pictures,
)

GRID_PICTURES = 24
MOST_STRIP_PICTURES = 630  # of all strips together, to keep the page under 3 MB: 90 strips of 7
MOST_MATRIX_CLASSES = 20  # beyond that the confusions are a list, as no screen holds the table


def gallery_section(
    images: npt.NDArray[np.uint8],
    labels: IntArray,
    logits: npt.NDArray[np.floating],
    class_names: tuple[str, ...],
    *,
    seed: int,
) -> dict[str, Any]:
    """The pictures of the prediction grid and of every strip of errors.

    Args:
        images: uint8 (N, S, S, 3); only their number and side are read.
        labels: true classes, (N,).
        logits: (N, K).
        class_names: K names.
        seed: of the draws.

    Raises:
        ValueError: the arrays do not have one length.
    """
    if not len(images) == len(labels) == len(logits):
        raise ValueError(
            f"lengths are {len(images)}, {len(labels)} and {len(logits)}; allowed: one length"
        )
    shares = probabilities(logits)
    counts = metrics.confusion_matrix(labels, shares.argmax(axis=1), len(class_names))

    def entries(indices: IntArray) -> list[dict[str, Any]]:
        return [picture_entry(int(i), labels, shares, class_names) for i in indices]

    grid = entries(random_pictures(len(labels), GRID_PICTURES, seed=seed))
    cells, room = cells_of_errors(counts), MOST_STRIP_PICTURES
    strips: list[dict[str, Any]] = []
    for true, predicted in cells:
        errors = pair_errors(labels, shares, true, predicted, seed=seed)
        room -= len(errors.drawn) + len(errors.surest)
        if room < 0:
            break
        strips.append(
            {
                "id": strip_id(true, predicted),
                "true": class_names[true],
                "predicted": class_names[predicted],
                "count": errors.count,
                "random": entries(errors.drawn),
                "surest": entries(errors.surest),
            }
        )
    return {
        "seed": seed,
        "side_px": int(images.shape[1]),
        "num_images": len(labels),
        "num_errors": int(counts.sum() - np.trace(counts)),
        "class_names": list(class_names),
        "rule": {"random": NUM_RANDOM, "surest": NUM_CONFIDENT},
        "grid": grid,
        "grid_wrong": sum(not entry["right"] for entry in grid),
        "matrix": _matrix(counts, {strip["id"] for strip in strips})
        if len(class_names) <= MOST_MATRIX_CLASSES
        else None,
        "strips": strips,
        "num_cells_without_strip": len(cells) - len(strips),
    }


def picture_entry(
    index: int, labels: IntArray, shares: FloatArray, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """What a caption says of one picture; `probability` is that of the prediction."""
    label, prediction = int(labels[index]), int(shares[index].argmax())
    return {
        "index": index,
        "label": class_names[label],
        "prediction": class_names[prediction],
        "probability": float(shares[index, prediction]),
        "label_probability": float(shares[index, label]),
        "right": label == prediction,
    }


def cells_of_errors(counts: IntArray) -> list[tuple[int, int]]:
    """(true, predicted) of every confusion that occurs, the most frequent first."""
    errors = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    order = np.argsort(-errors, axis=None, kind="stable")[: np.count_nonzero(errors)]
    return [divmod(int(cell), len(counts)) for cell in order]


def strip_id(true: int, predicted: int) -> str:
    """The anchor of a strip: class indices, as a name may hold what an anchor may not."""
    return f"errors-{true}-{predicted}"


def _matrix(counts: IntArray, strips: set[str]) -> list[list[dict[str, Any]]]:
    """The confusion matrix, each cell with the strip that it opens (or None) and its depth.

    An error's depth is its share of the true class, over the largest such share.
    """
    shares = np.nan_to_num(metrics.ratio(counts, counts.sum(axis=1, keepdims=True)))
    largest = max(np.where(np.eye(len(counts), dtype=bool), 0.0, shares).max(initial=0.0), 1e-9)

    def cell(true: int, predicted: int) -> dict[str, Any]:
        name = strip_id(true, predicted)
        return {
            "count": int(counts[true, predicted]),
            "strip": name if name in strips else None,
            "depth": float(shares[true, predicted] / (1.0 if true == predicted else largest)),
        }

    classes = range(len(counts))
    return [[cell(true, predicted) for predicted in classes] for true in classes]
