"""How often two classes would be confused if it mattered only how error-prone each class is.

Quasi-independence (Goodman 1968; Bishop, Fienberg and Holland 1975, ch. 5) is the Poisson GLM
log E[n_ij] = u_i + v_j over the off-diagonal cells of a confusion matrix: u_i says how often class
i is missed, v_j how often class j is wrongly said. A pair of classes is judged against the fit of
all other cells, so that its own errors do not raise what is expected of it.

Half an error is added to each class, spread evenly over its row: a class that is missed for no
class outside the pair would otherwise have an expected count of 0 that is known without error.

A test of symmetry asks which way the errors of a pair go.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats
from statsmodels.stats.contingency_tables import SquareTable

from analysis.statistics.intervals import proportion
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA, holm

BoolArray = npt.NDArray[np.bool_]
MIN_CLASSES = 4  # with three, the cells outside a pair are fewer than the parameters
ADDED_ERRORS = 0.5  # to each class; Jeffreys' choice for a Poisson count
TOLERANCE, MAX_SWEEPS = 1e-9, 1_000
CELLS_AT_ONCE = 4_000_000  # bounds the memory of many fits at once to 100 MB or so


def all_pairs(num_classes: int) -> IntArray:
    """Every unordered pair of classes, shape (K (K - 1) / 2, 2)."""
    return np.stack(np.triu_indices(num_classes, k=1), axis=1).astype(np.int64)


def off_diagonal(num_classes: int) -> BoolArray:
    """The cells that hold errors, shape (K, K)."""
    return ~np.eye(num_classes, dtype=bool)


def smoothed_errors(confusion: IntArray) -> FloatArray:
    """Off-diagonal counts with the added half error a class, 0 on the diagonal; (..., K, K)."""
    num_classes = confusion.shape[-1]
    added = ADDED_ERRORS / (num_classes - 1)
    return np.where(off_diagonal(num_classes), confusion + added, 0.0)


def fit(errors: FloatArray, used: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Maximum likelihood fits of many tables at once, each to many choices of cells.

    Iterative proportional fitting: row and column factors in turn, until none moves by more than
    a part in 10^9. It has the GLM's solution, since both match the sums over the used cells.

    Args:
        errors: counts, shape (R, K, K).
        used: the cells that a fit rests on, shape (P, K, K).

    Returns:
        Factors of rows and of columns, (P, R, K) each: E[n_ij] = rows[i] columns[j].
    """
    weights = used.astype(np.float64)
    row_sums = np.einsum("rij,pij->pri", errors, weights)
    column_sums = np.einsum("rij,pij->prj", errors, weights)
    rows, columns = row_sums, np.ones_like(column_sums)
    for _ in range(MAX_SWEEPS):
        before = rows
        rows = row_sums / (columns @ weights.swapaxes(1, 2))
        columns = column_sums / (rows @ weights)
        if np.all(np.abs(rows - before) <= TOLERANCE * rows):
            return rows, columns
    raise RuntimeError(f"no fit of quasi-independence after {MAX_SWEEPS} sweeps")


def expected_errors(confusion: IntArray) -> FloatArray:
    """Expected count of every off-diagonal cell, fitted to them all; 0 on the diagonal; (K, K)."""
    used = off_diagonal(len(confusion))
    rows, columns = fit(smoothed_errors(confusion)[None], used[None])
    return np.where(used, np.outer(rows[0, 0], columns[0, 0]), 0.0)


def outside(pairs: IntArray, num_classes: int) -> BoolArray:
    """The off-diagonal cells without both cells of each pair, shape (P, K, K)."""
    used = np.tile(off_diagonal(num_classes), (len(pairs), 1, 1))
    each, (first, second) = np.arange(len(pairs)), pairs.T
    used[each, first, second] = used[each, second, first] = False
    return used


def pair_counts(confusion: npt.NDArray[Any], pairs: IntArray) -> npt.NDArray[Any]:
    """Errors between the classes of each pair, both directions; (..., K, K) -> (..., P)."""
    first, second = pairs.T
    return confusion[..., first, second] + confusion[..., second, first]


def pair_expectations(confusions: IntArray, pairs: IntArray) -> FloatArray:
    """What the errors outside each pair let expect of it, both ways; (R, K, K) -> (R, P)."""
    return direction_expectations(confusions, pairs).sum(axis=0)


def direction_expectations(confusions: IntArray, pairs: IntArray) -> FloatArray:
    """Likewise of the first class taken for the second, and of the reverse; (2, R, P)."""
    rows, columns = fit(smoothed_errors(confusions), outside(pairs, confusions.shape[-1]))
    each, (first, second) = np.arange(len(pairs)), pairs.T
    forth = rows[each, :, first] * columns[each, :, second]
    back = rows[each, :, second] * columns[each, :, first]
    return np.stack([forth.T, back.T])


def cell_expectations(confusion: IntArray) -> FloatArray:
    """What the errors outside its pair let expect of every cell; 0 on the diagonal; (K, K)."""
    pairs = all_pairs(len(confusion))
    first, second = pairs.T
    expected = np.zeros(confusion.shape)
    expected[first, second], expected[second, first] = direction_expectations(
        confusion[None], pairs
    )[:, 0]
    return expected


def expected_counts(confusion: IntArray, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of what the errors outside each pair let expect of it; (P,) each."""
    num_classes = len(confusion)
    expected: list[float] = []
    variances: list[float] = []
    for chunk in np.array_split(pairs, -(-len(pairs) * num_classes**2 // CELLS_AT_ONCE) or 1):
        used = outside(chunk, num_classes)
        rows, columns = (factors[:, 0] for factors in fit(smoothed_errors(confusion)[None], used))
        for p, (first, second) in enumerate(chunk):
            means = np.outer(rows[p], columns[p])
            expected.append(float(means[first, second] + means[second, first]))
            variances.append(_variance(means, used[p], int(first), int(second)))
    return np.array(expected), np.array(variances)


def pair_p_values(confusion: IntArray, pairs: IntArray) -> FloatArray:
    """One-sided p: so many errors or more between two classes, under quasi-independence; (P,)."""
    return excess_p(pair_counts(confusion, pairs), *expected_counts(confusion, pairs))


def excess_p(counts: IntArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Likewise of counts whose expectation has a mean and a variance; (P,) each.

    A Poisson count whose mean is itself estimated, with a gamma distribution of the fit's mean and
    delta-method variance, is negative binomial. (The plain Poisson tail takes the mean for known:
    on null tables with 8 errors a cell it gave a false alarm in about one table of six.)
    """
    return np.asarray(stats.nbinom.sf(counts - 1, mean**2 / variance, mean / (mean + variance)))


def _variance(means: FloatArray, used: BoolArray, first: int, second: int) -> float:
    """Of the expected errors between two classes, by the delta method from the information."""
    num_classes = len(means)
    fitted = np.where(used, means, 0.0)
    information = np.block(
        [[np.diag(fitted.sum(axis=1)), fitted], [fitted.T, np.diag(fitted.sum(axis=0))]]
    )
    # Rows up and columns down by one factor change no mean: that direction carries no information.
    idle = np.repeat([1.0, -1.0], num_classes)
    gradient = np.zeros(2 * num_classes)
    gradient[[first, num_classes + second]] += means[first, second]
    gradient[[second, num_classes + first]] += means[second, first]
    solved = linalg.solve(information + np.outer(idle, idle), gradient, assume_a="pos")
    return float(gradient @ solved)


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
