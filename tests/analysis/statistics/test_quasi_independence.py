"""Expected confusions against statsmodels' GLM, and the pair test's false alarms.

Directions of errors against published tables and SciPy.
"""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import SquareTable

from analysis.statistics.paired_tests import holm
from analysis.statistics.quasi_independence import (
    all_pairs,
    bowker,
    cell_expectations,
    directions,
    expected_errors,
    off_diagonal,
    pair_counts,
    pair_expectations,
    pair_p_values,
    smoothed_errors,
    stuart_maxwell,
)
from tests.helpers.variants import null_table

# Unaided distance vision of 7,477 women, right eye by left eye (Stuart 1953).
VISION = np.array(
    [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
)


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


def test_the_vision_data_give_the_published_statistics():
    # Bishop, Fienberg and Holland (1975): symmetry 19.11 on 6, homogeneity 11.96 on 3.
    assert bowker(VISION) == pytest.approx({"statistic": 19.1066, "df": 6, "p": 0.00399}, rel=2e-3)
    expected = {"statistic": 11.9566, "df": 3, "p": 0.00753}
    assert stuart_maxwell(VISION) == pytest.approx(expected, rel=2e-3)


def test_homogeneity_is_statsmodels_where_that_is_defined():
    table = np.random.default_rng(0).poisson(9, (6, 6))
    reference = SquareTable(table, shift_zeros=False).homogeneity()
    assert stuart_maxwell(table)["statistic"] == pytest.approx(reference.statistic)


def test_empty_pairs_count_for_nothing():
    table = np.array([[50, 12, 0], [2, 50, 0], [0, 0, 50]])
    assert bowker(table) == pytest.approx(
        {"statistic": 100 / 14, "df": 1, "p": stats.chi2.sf(100 / 14, 1)}
    )
    assert stuart_maxwell(table) == pytest.approx(bowker(table))  # one pair: both are McNemar's


def test_classes_that_never_mix_keep_homogeneity_defined():
    blocks = np.kron(np.eye(2, dtype=int), np.array([[9, 6], [1, 9]]))
    assert stuart_maxwell(blocks) == pytest.approx(
        {"statistic": 2 * 25 / 7, "df": 2, "p": stats.chi2.sf(50 / 7, 2)}
    )


@pytest.mark.parametrize("size", [2, 5])
def test_without_errors_everything_is_symmetric(size):
    table = np.diag([7] * size)
    assert bowker(table) == stuart_maxwell(table) == {"statistic": 0, "df": 0, "p": 1}
    assert all(d["p"] == 1 and d["towards"] is None for d in directions(table, all_pairs(size)))


def test_a_direction_is_named_by_its_corrected_p():
    table = np.array([[0, 31, 8], [17, 0, 0], [40, 0, 0]])
    to_ship, one_way, none = directions(table, all_pairs(3))
    # Two pairs have errors; 31 of 48 alone has p = .059 (the published figure).
    assert stats.binomtest(31, 48).pvalue == pytest.approx(0.059, abs=5e-4)
    assert to_ship["p"] == pytest.approx(stats.binomtest(31, 48).pvalue)
    assert to_ship["towards"] is None
    assert one_way["p"] == pytest.approx(2 * stats.binomtest(8, 48).pvalue)
    assert one_way["towards"] == 0
    assert none["p"] == 1


def test_false_alarms_of_the_direction_test_are_rare():
    rng = np.random.default_rng(1)
    pairs = all_pairs(6)
    alarms = sum(
        any(d["p"] < 0.05 for d in directions(rng.poisson(12, (6, 6)), pairs)) for _ in range(300)
    )
    assert alarms <= stats.binom.ppf(0.975, 300, 0.05)
