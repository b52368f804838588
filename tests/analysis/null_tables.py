"""Confusion matrices whose errors are quasi-independent by construction."""

import numpy as np

from analysis.statistics.metrics import IntArray


def null_table(
    rng: np.random.Generator, num_errors: float, *, num_classes: int = 10, class_size: int = 1000
) -> IntArray:
    """Poisson errors around the product of a rate of each true and of each predicted class."""
    rates = np.exp(rng.normal(0, 0.5, (2, num_classes)))
    means = np.where(np.eye(num_classes, dtype=bool), 0, np.outer(*rates))
    table = rng.poisson(means * num_errors / means.sum())
    np.fill_diagonal(table, np.maximum(class_size - table.sum(axis=1), 0))
    return table
