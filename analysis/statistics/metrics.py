"""Array -> number: everything that can be read off a confusion matrix.

Confusion matrices have shape (..., K, K) with row = true class; leading axes are resamples.
A ratio whose denominator is zero is undefined and comes out as NaN, never as 0.

Where there are more classes than a page can hold, a report shows `MOST_SHOWN` of them.
"""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
MOST_SHOWN = 40  # classes in a matrix, a tree or a table: some 700 px, and 1,600 cells


def confusion_matrix(labels: IntArray, predictions: IntArray, num_classes: int) -> IntArray:
    """Count images by (true class, predicted class); shape (K, K).

    Args:
        labels: true class indices in [0, K), shape (N,).
        predictions: predicted class indices in [0, K), shape (N,).
        num_classes: K; a class may be absent from both arrays.

    Raises:
        ValueError: the shapes differ or an index lies outside [0, K).
    """
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(
            f"shapes are {labels.shape} and {predictions.shape}; allowed: two vectors of one length"
        )
    for name, indices in (("labels", labels), ("predictions", predictions)):
        if indices.size and (indices.min() < 0 or indices.max() >= num_classes):
            raise ValueError(
                f"{name} reach from {indices.min()} to {indices.max()}; "
                f"allowed: 0 to {num_classes - 1}"
            )
    cells = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes).astype(np.int64)


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> FloatArray:
    """Divide elementwise; NaN where the denominator is zero."""
    top, bottom = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)


def true_positives(confusion: IntArray) -> IntArray:
    """Images of each class that were recognised, shape (..., K)."""
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def precision(confusion: IntArray) -> FloatArray:
    """Share of right ones among the images predicted as each class, shape (..., K)."""
    return ratio(true_positives(confusion), confusion.sum(axis=-2))


def recall(confusion: IntArray) -> FloatArray:
    """Share of each class that was recognised, shape (..., K)."""
    return ratio(true_positives(confusion), confusion.sum(axis=-1))


def f1(confusion: IntArray) -> FloatArray:
    """Harmonic mean of precision and recall as 2 TP / (2 TP + FP + FN), shape (..., K).

    Undefined only for a class that neither occurs nor is predicted.
    """
    involved = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    return ratio(2 * true_positives(confusion), involved)


def macro_f1(confusion: IntArray) -> FloatArray:
    """Mean of the defined class F1 scores, shape (...); scikit-learn's `average="macro"`."""
    scores = f1(confusion)
    defined = ~np.isnan(scores)
    return ratio(np.where(defined, scores, 0.0).sum(axis=-1), defined.sum(axis=-1))


def accuracy(confusion: IntArray) -> FloatArray:
    """Share of all images that were recognised, shape (...)."""
    return ratio(true_positives(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def most_confused(confusion: IntArray) -> IntArray:
    """Indices of the classes that a matrix shows, in rising order: all of up to `MOST_SHOWN`.

    Of more, those with the most errors, as the true or as the predicted class.

    Args:
        confusion: counts, shape (K, K).
    """
    errors = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    involved = errors.sum(axis=0) + errors.sum(axis=1)
    return np.sort(np.argsort(-involved, kind="stable")[:MOST_SHOWN])
