"""Directions of errors against published tables and SciPy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import SquareTable

from analysis.statistics.quasi_independence import all_pairs, bowker, directions, stuart_maxwell

# Unaided distance vision of 7,477 women, right eye by left eye (Stuart 1953).
VISION = np.array(
    [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
)


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
