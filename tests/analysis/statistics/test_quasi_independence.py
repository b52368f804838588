"""Expected confusions against statsmodels' GLM, and the pair test's false alarms."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.statistics.paired_tests import holm
from analysis.statistics.quasi_independence import (
    all_pairs,
    cell_expectations,
    expected_errors,
    off_diagonal,
    pair_counts,
    pair_expectations,
    pair_p_values,
    smoothed_errors,
)
from tests.helpers.variants import null_table


def glm(errors, used):
    """A fitted Poisson GLM of rows and columns, and the design of all cells."""
    k = len(errors)
    rows, columns = np.divmod(np.arange(k * k), k)
    design = np.hstack([np.eye(k)[rows], np.eye(k)[columns][:, 1:]])
    cells = used.ravel()
    model = sm.GLM(errors.ravel()[cells], design[cells], family=sm.families.Poisson())
    return model.fit(tol=1e-12), design


def test_expected_counts_are_those_of_the_glm():
    table = null_table(np.random.default_rng(0), 600)
    fitted, design = glm(smoothed_errors(table), off_diagonal(10))
    expected = np.where(off_diagonal(10), fitted.predict(design).reshape(10, 10), 0)
    assert expected_errors(table) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("num_classes", "pair"), [(10, (3, 5)), (4, (0, 1)), (6, (4, 5))])
def test_a_pairs_expectation_and_p_come_from_the_glm_without_its_cells(num_classes, pair):
    table = null_table(np.random.default_rng(1), 400, num_classes=num_classes)
    table[pair] += 30
    used = off_diagonal(num_classes)
    used[pair] = used[pair[::-1]] = False
    fitted, design = glm(smoothed_errors(table), used)
    cells = [a * num_classes + b for a, b in (pair, pair[::-1])]
    means = fitted.predict(design)[cells]
    gradient = means @ design[cells]
    variance = gradient @ fitted.cov_params() @ gradient
    pairs = np.array([pair])
    assert pair_expectations(table[None], pairs)[0, 0] == pytest.approx(means.sum(), rel=1e-6)
    cell_pair = [cell_expectations(table)[cell] for cell in (pair, pair[::-1])]
    assert cell_pair == pytest.approx(means, rel=1e-6)
    # A Poisson count with a gamma mean, integrated rather than looked up.
    means_drawn = stats.gamma(means.sum() ** 2 / variance, scale=variance / means.sum())
    count = pair_counts(table, pairs)[0]
    expected_p = means_drawn.expect(lambda mean: stats.poisson.sf(count - 1, mean), epsabs=1e-14)
    assert pair_p_values(table, pairs)[0] == pytest.approx(expected_p, rel=1e-3)


def test_many_tables_are_fitted_as_each_would_be():
    rng = np.random.default_rng(2)
    tables = np.stack([null_table(rng, 300) for _ in range(5)])
    pairs = all_pairs(10)
    together = pair_expectations(tables, pairs)
    assert together.shape == (5, 45)
    for table, row in zip(tables, together, strict=True):
        assert pair_expectations(table[None], pairs)[0] == pytest.approx(row, rel=1e-6)


@pytest.mark.parametrize("num_errors", [40, 700])
@pytest.mark.slow
def test_false_alarms_over_all_pairs_are_rare(num_errors):
    """300 tables without any hot pair: the share with a pair of Holm's p < .05."""
    rng = np.random.default_rng(3)
    pairs = all_pairs(10)
    alarms = sum(
        holm(pair_p_values(null_table(rng, num_errors), pairs)).min() < 0.05 for _ in range(300)
    )
    assert alarms <= stats.binom.ppf(0.975, 300, 0.05)


def test_a_class_that_is_never_missed_outside_a_pair_has_a_finite_expectation():
    table = np.zeros((5, 5), int)
    table[0, 1], table[2, 3], table[3, 4], table[4, 2] = 9, 3, 3, 3
    pairs = all_pairs(5)
    assert (pair_expectations(table[None], pairs) > 0).all()
    p_values = pair_p_values(table, pairs)
    assert p_values.argmin() == 0
    assert ((p_values > 0) & (p_values <= 1)).all()


def test_published_pairs_exceed_their_expectation_as_published():
    """Pairs of a public model's test predictions, with the Poisson tail that forgets the fit."""
    for count, expected, holm_p, ratio in (
        (154, 18.0, 7e-85, 8.5),
        (48, 3.3, 6e-37, 15),
        (31, 7.0, 9e-10, 4.4),
        (27, 13.6, 0.034, 2.0),
    ):
        assert count / expected == pytest.approx(ratio, rel=0.05)
        ours = 45 * stats.poisson.sf(count - 1, expected)
        assert abs(np.log10(ours / holm_p)) < 1.5  # expected counts are rounded to a decimal
