"""Which way do errors go: is one class taken for the other more often than the reverse?"""

from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import SquareTable

from analysis.statistics.intervals import proportion
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA, holm
from analysis.statistics.quasi_independence import all_pairs, pair_counts


def sign_test(successes: IntArray, totals: IntArray) -> FloatArray:
    """Two-sided exact binomial p-values against one half: twice the smaller tail; (M,)."""
    fewer = np.minimum(successes, totals - successes)
    return np.minimum(2 * stats.binom.cdf(fewer, totals, 0.5), 1.0)


def directions(confusion: IntArray, pairs: IntArray) -> list[dict[str, Any]]:
    """The exact binomial test of both directions of each pair, Holm over the pairs with errors.

    Returns:
        For each pair "share" (of its errors, those of the first class taken for the second, with
        Wilson's interval), "p" (Holm; 1 for a pair without errors) and "towards": the class that
        draws the errors, 0 for the first, 1 for the second, None where they are symmetric.
    """
    first, second = pairs.T
    forth, totals = confusion[first, second], pair_counts(confusion, pairs)
    with_errors = totals > 0
    p_values = np.ones(len(pairs))
    p_values[with_errors] = holm(sign_test(forth[with_errors], totals[with_errors]))
    return [
        {
            "share": proportion(int(k), int(n)).to_dict(),
            "p": float(p),
            "towards": None if p >= ALPHA else int(2 * k > n),
        }
        for k, n, p in zip(forth, totals, p_values, strict=True)
    ]


def bowker(confusion: IntArray) -> dict[str, float]:
    """Bowker's test (1948) that every pair is symmetric, over the pairs that have errors.

    statsmodels' own degrees of freedom count empty pairs too, and its default adds half a count to
    every cell once one of them is empty.
    """
    table = SquareTable(confusion, shift_zeros=False)
    df = int((pair_counts(confusion, all_pairs(len(confusion))) > 0).sum())
    statistic = float(table.symmetry(method="bowker").statistic) if df else 0.0
    return {"statistic": statistic, "df": df, "p": float(stats.chi2.sf(statistic, df)) if df else 1}


def stuart_maxwell(confusion: IntArray) -> dict[str, float]:
    """Test of marginal homogeneity (Stuart 1955, Maxwell 1970): is any class said too often?

    Classes without errors in either direction say nothing and are left out; where groups of
    classes are never mixed, the rank counts (statsmodels' own gives NaN there).
    """
    errors = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    involved = (errors.sum(axis=0) + errors.sum(axis=1)) > 0
    table = errors[np.ix_(involved, involved)].astype(np.float64)
    excess = (table.sum(axis=1) - table.sum(axis=0))[:-1]
    covariance = (np.diag(table.sum(axis=0) + table.sum(axis=1)) - table - table.T)[:-1, :-1]
    df = int(np.linalg.matrix_rank(covariance)) if len(covariance) else 0
    if not df:
        return {"statistic": 0.0, "df": 0, "p": 1.0}
    statistic = float(excess @ np.linalg.pinv(covariance, hermitian=True) @ excess)
    return {"statistic": statistic, "df": df, "p": float(stats.chi2.sf(statistic, df))}
