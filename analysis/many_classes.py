"""What a report shows where there are more classes than a page can hold."""

import numpy as np

from analysis.statistics.metrics import IntArray

MOST_SHOWN = 40  # classes in a matrix, a tree or a table: some 700 px, and 1,600 cells


def most_confused(confusion: IntArray) -> IntArray:
    """Indices of the classes that a matrix shows, in rising order: all of up to `MOST_SHOWN`.

    Of more, those with the most errors, as the true or as the predicted class.

    Args:
        confusion: counts, shape (K, K).
    """
    errors = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    involved = errors.sum(axis=0) + errors.sum(axis=1)
    return np.sort(np.argsort(-involved, kind="stable")[:MOST_SHOWN])
