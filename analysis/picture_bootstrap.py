"""Sums over pictures drawn anew with replacement, where each picture has a few small numbers."""

import numpy as np
import numpy.typing as npt

from analysis.statistics.metrics import FloatArray


def resampled_sums(
    columns: npt.ArrayLike, num_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Column sums over N pictures drawn with replacement, each picture with all of its columns.

    Pictures with equal rows are interchangeable, so one multinomial draw over the distinct rows is
    a resample of all pictures; right-or-wrong columns have few of them.

    Args:
        columns: numbers of each picture, shape (N, C), N >= 1.
        num_resamples: R.
        rng: the only source of randomness.

    Returns:
        Shape (R, C).
    """
    rows, counts = np.unique(np.asarray(columns, dtype=np.float64), axis=0, return_counts=True)
    total = int(counts.sum())
    return np.asarray(rng.multinomial(total, counts / total, size=num_resamples) @ rows)
