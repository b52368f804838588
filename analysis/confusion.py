"""Which classes are taken for which others?"""

from typing import Any

import numpy as np

from analysis.statistics.intervals import proportion
from analysis.statistics.metrics import IntArray, most_confused, ratio

NUM_PAIRS = 10


def confused_pairs(
    confusion: IntArray, class_names: tuple[str, ...], num_pairs: int = NUM_PAIRS
) -> list[dict[str, Any]]:
    """The largest off-diagonal counts, largest first; ties in the order of the classes.

    Each has its share of the true class with a Wilson interval, and the count of the reverse
    direction, so that a one-way confusion is told from a mutual one.
    """
    errors = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    largest = np.argsort(-errors, axis=None, kind="stable")[:num_pairs]
    cells = [divmod(int(cell), len(confusion)) for cell in largest]
    return [
        {
            "true": class_names[true],
            "predicted": class_names[predicted],
            "count": int(errors[true, predicted]),
            "num_images": int(confusion[true].sum()),
            "share": proportion(int(errors[true, predicted]), int(confusion[true].sum())).to_dict(),
            "reverse_count": int(errors[predicted, true]),
        }
        for true, predicted in cells
        if errors[true, predicted] > 0
    ]


def confusion_section(confusion: IntArray, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Counts and row shares, row = true class; shares of a class without images are NaN.

    "class_names", "counts" and "shares" are of the classes shown: of more than 40 those with the
    most errors. All else is of all classes.
    """
    errors = int(confusion.sum() - np.trace(confusion))
    shown = most_confused(confusion)
    shares = ratio(confusion, confusion.sum(axis=1, keepdims=True))
    return {
        "num_classes": len(class_names),
        "class_names": [class_names[k] for k in shown],
        "counts": confusion[np.ix_(shown, shown)].tolist(),
        "shares": shares[np.ix_(shown, shown)].tolist(),
        "num_images": int(confusion.sum()),
        "num_errors": errors,
        "pairs": confused_pairs(confusion, class_names),
    }
