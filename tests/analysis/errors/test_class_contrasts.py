"""Simultaneous intervals, and the two inferences on rigid and organic classes."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors.class_contrasts import (
    class_contrasts_section,
    permutation_p,
    simultaneous_intervals,
)
from analysis.errors.classes import Kinds
from tests.helpers.fabricate import CIFAR10

RIGID = np.array([name in ("airplane", "automobile", "ship", "truck") for name in CIFAR10])


def even_errors(recalls, size=1000):
    """Each class' errors spread evenly over the others."""
    recalls = np.asarray(recalls)
    table = np.tile(((1 - recalls) * size / 9).round()[:, None], (1, 10)).astype(int)
    np.fill_diagonal(table, 0)
    np.fill_diagonal(table, size - table.sum(axis=1))
    return table


def section(recalls, size=1000, names=CIFAR10):
    return class_contrasts_section(
        even_errors(recalls, size), names, Kinds.of_run({}, names), num_resamples=1000, seed=0
    )


def test_the_max_t_quantile_of_independent_classes_is_sidaks():
    samples = np.random.default_rng(0).normal(size=(20_000, 10))
    intervals, critical_t = simultaneous_intervals(np.zeros(10), samples)
    assert critical_t == pytest.approx(stats.norm.ppf((1 + 0.95**0.1) / 2), abs=0.03)
    assert intervals[0].upper == pytest.approx(critical_t, rel=0.03)


def test_false_names_are_rare_among_equal_classes():
    """300 tests of ten equal classes: the share in which any class is named."""
    rng = np.random.default_rng(1)
    means, alarms = np.zeros(10), 0
    for _ in range(300):
        found = rng.normal(means, 1)
        found -= found.mean()
        samples = found + rng.normal(size=(400, 10))
        samples -= samples.mean(axis=1, keepdims=True)
        intervals, _ = simultaneous_intervals(found, samples)
        alarms += any(i.lower > 0 or i.upper < 0 for i in intervals)
    assert stats.binom.ppf(0.025, 300, 0.05) <= alarms <= stats.binom.ppf(0.975, 300, 0.05)


def test_the_permutation_is_scipys():
    values = np.random.default_rng(2).normal(size=10)
    reference = stats.permutation_test(
        (values[RIGID], values[~RIGID]),
        lambda a, b: a.mean() - b.mean(),
        alternative="greater",
        n_resamples=np.inf,
    )
    rng = np.random.default_rng(0)
    assert permutation_p(values, RIGID, rng) == (pytest.approx(reference.pvalue), 210)


def test_of_many_labelings_a_sample_gives_about_the_same_p(monkeypatch):
    values = np.random.default_rng(4).normal(size=10)
    exact, _ = permutation_p(values, RIGID, np.random.default_rng(0))
    monkeypatch.setattr("analysis.errors.class_contrasts.MAX_LABELINGS", 200)
    sampled, count = permutation_p(values, RIGID, np.random.default_rng(0))
    assert count == 200
    assert sampled == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 200) + 1 / 200)


def test_the_most_extreme_labeling_has_the_published_smallest_p():
    p, _ = permutation_p(RIGID.astype(float), RIGID, np.random.default_rng(0))
    assert p == pytest.approx(0.0048, abs=5e-5)


def test_images_and_classes_both_count_for_rigid():
    clear = section(np.where(RIGID, 0.95, 0.85))
    assert clear["claims"][0]["verdict"] == "CONFIRMED"
    assert clear["rigid_organic"]["p"] == pytest.approx(1 / 210)
    # As published: frog and horse beat the airplane, so the classes do not bear it out.
    recalls = dict(zip(CIFAR10, np.where(RIGID, 0.96, 0.88), strict=True))
    recalls |= {"frog": 0.955, "horse": 0.955, "deer": 0.955, "airplane": 0.93}
    mixed = section(list(recalls.values()))
    claim = mixed["claims"][0]
    assert mixed["rigid_organic"]["difference"]["lower"] > 0.01
    assert mixed["rigid_organic"]["p"] > 0.05
    assert claim["verdict"] == "INCONCLUSIVE"
    assert "for these classes only" in claim["sentence"]
    assert section(np.where(RIGID, 0.85, 0.95))["claims"][0]["verdict"] == "REFUTED"


def test_only_separated_classes_are_named():
    recalls = np.full(10, 0.9)
    recalls[6] = 0.97
    found = section(recalls)
    frog = found["classes"][6]
    assert frog["separated"]
    assert frog["difference"]["lower"] > 0.01
    assert found["claims"][1]["verdict"] == "CONFIRMED"
    assert "nothing of the cause" in found["claims"][1]["sentence"]
    assert not any(row["separated"] for row in section(np.full(10, 0.9))["classes"])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.diag([3] * 10), "3 test images"),
        (np.diag([30] * 10), "every image was recognised"),
        (np.diag([30] * 9 + [0]), "0 test images"),
    ],
)
def test_what_cannot_be_tested_says_why(table, reason):
    kinds = Kinds.of_run({}, CIFAR10)
    found = class_contrasts_section(table, CIFAR10, kinds, num_resamples=50, seed=0)
    assert reason in found["untested"]
    assert [claim["verdict"] for claim in found["claims"]] == ["NOT TESTED"] * 2


@pytest.mark.parametrize("table", [[[50, 5], [9, 41]], [[0, 50], [50, 0]], [[50, 0], [50, 0]]])
def test_other_classes_are_not_tested_for_being_rigid(table):
    found = class_contrasts_section(np.array(table), ("a", "b"), Kinds(), num_resamples=50, seed=0)
    (claim,) = found["claims"]
    assert claim["verdict"] == "NOT TESTED"
    assert "--organic" in claim["sentence"]
    assert len(found["classes"]) == 2


def test_a_runs_own_kinds_are_held_against_each_other():
    names = ("cup", "fork", "leaf", "newt", "pond")
    recalls = (0.95, 0.95, 0.7, 0.7, 0.1)
    table = np.array([[50 * (1 - r) for _ in names] for r in recalls]).round().astype(int)
    np.fill_diagonal(table, [int(200 * r) for r in recalls])
    kinds = Kinds(rigid=frozenset(names[:2]), organic=frozenset(names[2:4]))
    found = class_contrasts_section(table, names, kinds, num_resamples=200, seed=0)
    assert found["rigid_organic"]["num_labelings"] == 6  # the pond is neither
    assert found["rigid_organic"]["difference"]["lower"] > 0
    assert [claim["verdict"] for claim in found["claims"]] == ["INCONCLUSIVE"]


def test_the_only_class_of_its_kind_is_never_left_out():
    names = ("cup", "leaf", "newt")
    table = np.array([[90, 5, 5], [20, 70, 10], [20, 10, 70]])
    kinds = Kinds(rigid=frozenset({"cup"}), organic=frozenset({"leaf", "newt"}))
    found = class_contrasts_section(table, names, kinds, num_resamples=100, seed=0)
    assert found["rigid_organic"]["leave_one_out"]["lowest_without"] in ("leaf", "newt")
