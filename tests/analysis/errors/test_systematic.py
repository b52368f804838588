"""Systematic errors are told from random ones, within one model and between seeds."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from analysis.errors.systematic import (
    correlation,
    deviance,
    error_pattern,
    monte_carlo_p,
    seed_agreement,
    split_residuals,
    systematic_section,
)
from analysis.statistics.metrics import confusion_matrix
from analysis.statistics.quasi_independence import expected_errors, off_diagonal, smoothed_errors
from tests.analysis.statistics.test_quasi_independence import glm
from tests.helpers.variants import null_table


def hot_table(rng, num_classes=6):
    """Errors go mostly to the neighbour class."""
    table = null_table(rng, 500, num_classes=num_classes)
    for k in range(num_classes):
        table[k, k ^ 1] += 60
    return table


def test_the_deviance_is_that_of_the_glm():
    table = hot_table(np.random.default_rng(0))
    fitted, _ = glm(smoothed_errors(table), off_diagonal(6))
    assert deviance(table[None])[0] == pytest.approx(fitted.deviance, rel=1e-6)


def test_false_alarms_of_the_pattern_tests_are_rare():
    """300 quasi-independent tables, each with its own Monte-Carlo null."""
    rng = np.random.default_rng(1)
    deviance_p, split_p, correlations = [], [], []
    for _ in range(300):
        table = null_table(rng, 400, num_classes=6)
        drawn = rng.poisson(expected_errors(table), size=(99, 6, 6))
        found = correlation(*split_residuals(table[None], rng))[0]
        deviance_p.append(monte_carlo_p(deviance(table[None])[0], deviance(drawn)))
        split_p.append(monte_carlo_p(found, correlation(*split_residuals(drawn, rng))))
        correlations.append(found)
    most = stats.binom.ppf(0.975, 300, 0.05)
    assert sum(p <= 0.05 for p in deviance_p) <= most
    assert sum(p <= 0.05 for p in split_p) <= most
    assert np.mean(correlations) == pytest.approx(0, abs=0.05)


def test_a_pattern_of_errors_is_found():
    pattern = error_pattern(
        hot_table(np.random.default_rng(2), 10), num_resamples=200, rng=np.random.default_rng(0)
    )
    assert pattern["deviance_p"] == pytest.approx(1 / 201)
    assert pattern["df"] == 71  # 90 cells, 19 rates
    assert pattern["split_half"]["lower"] > 0.2
    assert abs(pattern["split_half_null"]) < 0.1


def test_the_residuals_of_a_half_are_the_glms_and_correlate_as_numpy_says():
    table = hot_table(np.random.default_rng(3))
    found = split_residuals(table[None], np.random.default_rng(4))
    first = np.random.default_rng(4).binomial(table, 0.5)
    for half, residuals in zip((first, table - first), found[:, 0], strict=True):
        fitted, _ = glm(smoothed_errors(half), off_diagonal(6))
        assert residuals == pytest.approx(fitted.resid_pearson, abs=1e-5)
    assert correlation(*found)[0] == pytest.approx(np.corrcoef(found[:, 0])[0, 1])
    assert correlation(np.ones((1, 5)), np.arange(5.0)[None]) == 0


def test_a_monte_carlo_p_is_never_nought():
    assert monte_carlo_p(5.0, np.arange(4.0)) == 1 / 5
    assert monte_carlo_p(2.0, np.arange(4.0)) == 3 / 5


def drawn_predictions(labels, hard, rng):
    """Wrong on a picture as hard as it is; the wrong label is the next class two times of three."""
    wrong = rng.random(len(labels)) < hard
    step = np.where(rng.random(len(labels)) < 2 / 3, 1, 2)
    return np.where(wrong, (labels + step) % 5, labels)


def test_agreement_of_seeds():
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(5), 600)
    hard = np.where(rng.random(3000) < 0.2, 0.9, 0.03)
    seeds = [drawn_predictions(labels, hard, rng) for _ in range(2)]
    found = seed_agreement(labels, seeds, 5, num_resamples=500, rng=rng)
    rights = [predicted == labels for predicted in seeds]
    assert found["kappa"]["value"] == pytest.approx(cohen_kappa_score(*rights))
    both = ~rights[0] & ~rights[1]
    assert found["same_label"]["value"] == pytest.approx((seeds[0] == seeds[1])[both].mean())
    # Labels are drawn independently: 5 of 9 agree by chance, and no more do.
    assert found["by_chance"]["value"] == pytest.approx(5 / 9, abs=0.03)
    assert found["excess"]["lower"] < 0 < found["excess"]["upper"]
    assert found["kappa"]["lower"] > 0.2


def section_with(seeds, labels):
    table = confusion_matrix(labels, seeds[0], 5)
    return systematic_section(table, labels, seeds, num_resamples=300, seed=0)


def test_seeds_that_agree_confirm_and_seeds_that_do_not_refute():
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(5), 600)
    shared = drawn_predictions(labels, 0.15, rng)
    seeds = [np.where(rng.random(3000) < 0.1, labels, shared) for _ in range(3)]
    assert section_with(seeds, labels)["claims"][0]["verdict"] == "CONFIRMED"
    apart = [drawn_predictions(labels, 0.15, rng) for _ in range(3)]
    found = section_with(apart, labels)
    assert found["agreement"]["num_seeds"] == 3
    assert found["claims"][0]["verdict"] == "REFUTED"


def test_one_model_says_that_no_seed_was_tried():
    rng = np.random.default_rng(7)
    claim = systematic_section(hot_table(rng, 10), np.zeros(0, int), num_resamples=200, seed=0)[
        "claims"
    ][0]
    assert claim["verdict"] == "CONFIRMED"
    assert "another seed" in claim["sentence"]
    even = systematic_section(null_table(rng, 2000), np.zeros(0, int), num_resamples=200, seed=0)[
        "claims"
    ][0]
    assert even["verdict"] in ("REFUTED", "INCONCLUSIVE")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([[5, 3], [2, 5]], "one possible label"),
        (np.diag([10] * 10), "0 errors are fewer than the 20 rates"),
        (np.diag([2] * 4) + np.eye(4, k=1, dtype=int), "3 errors"),
    ],
)
def test_what_cannot_be_tested_says_why(table, reason):
    found = systematic_section(np.array(table), np.zeros(0, int), num_resamples=20, seed=0)
    assert reason in found["untested"]
    assert found["claims"][0]["verdict"] == "NOT TESTED"


@pytest.mark.parametrize("kind", ["constant", "all wrong", "absent class"])
def test_extreme_predictions_give_finite_numbers(kind):
    table = np.zeros((6, 6), int)
    if kind == "constant":
        table[:, 2] = 50
    elif kind == "all wrong":
        table = 10 * (1 - np.eye(6, dtype=int))
    else:
        table = hot_table(np.random.default_rng(8))
        table[3] = 0
    found = systematic_section(table, np.zeros(0, int), num_resamples=50, seed=0)
    assert np.isfinite(
        [found["pattern"]["deviance"], *found["pattern"]["split_half"].values()]
    ).all()
