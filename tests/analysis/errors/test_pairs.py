"""Confused pairs, clusters and the decks' claims on tables with known answers."""

import json

import numpy as np
import pytest

from analysis.errors.clusters import average_linkage, clusters, co_membership
from analysis.errors.pairs import pair_claim, pairs_section
from tests.helpers.fabricate import CIFAR10
from tests.helpers.variants import null_table

CAT, DOG, PLANE, SHIP = 3, 5, 0, 8


def planted() -> np.ndarray:
    """Cat and dog are hot both ways; airplane goes to ship one way."""
    table = null_table(np.random.default_rng(0), 500)
    for cell, more in {(CAT, DOG): 78, (DOG, CAT): 76, (PLANE, SHIP): 60}.items():
        table[cell] += more
        table[cell[0], cell[0]] -= more
    return table


@pytest.fixture(scope="module")
def section():
    return pairs_section(planted(), CIFAR10, num_resamples=500, seed=0)


def test_the_planted_pairs_are_flagged_and_no_others(section):
    flagged = [row for row in section["pairs"] if row["flagged"]]
    assert [(row["first"], row["second"]) for row in flagged] == [
        ("cat", "dog"),
        ("airplane", "ship"),
    ]
    assert len(section["pairs"]) == section["num_pairs"] == 45
    assert section["untested"] is None
    cat_dog, plane_ship = flagged
    assert cat_dog["count"] == sum(cat_dog["counts"])
    assert cat_dog["rate"]["value"] == cat_dog["count"] / 2000
    assert cat_dog["ratio"]["lower"] < cat_dog["ratio"]["value"] < cat_dog["ratio"]["upper"]
    assert cat_dog["direction"]["towards"] is None
    assert plane_ship["direction"]["towards"] == 1
    assert section["symmetry"]["p"] < 0.01


def test_the_decks_claims_get_verdicts(section):
    claims = {claim["claim"].split(" are ")[0]: claim for claim in section["claims"]}
    assert claims["cat and dog"]["verdict"] == claims["airplane and ship"]["verdict"] == "CONFIRMED"
    assert claims["airplane and bird"]["verdict"] != "CONFIRMED"
    assert claims["automobile and truck"]["verdict"] != "CONFIRMED"
    assert claims["cat and dog"]["detectable"] > 2
    assert json.dumps(section)


@pytest.mark.parametrize(
    ("ratio", "rate", "flagged", "verdict"),
    [
        ((5, 3, 7), (0.05, 0.04, 0.06), True, "CONFIRMED"),
        ((1.5, 1.2, 1.9), (0.05, 0.04, 0.06), False, "REFUTED"),  # hardly more than expected
        ((5, 3, 7), (0.004, 0.002, 0.008), False, "REFUTED"),  # too rare to matter
        ((2.5, 1.5, 4), (0.05, 0.04, 0.06), False, "INCONCLUSIVE"),
    ],
)
def test_a_claim_is_decided_by_whole_intervals(ratio, rate, flagged, verdict):
    names = ("value", "lower", "upper")
    row = {
        "first": "cat", "second": "dog", "count": 100, "counts": [60, 40], "num_images": 2000,
        "expected": 20.0, "p": 0.01, "flagged": flagged,
        "ratio": dict(zip(names, ratio, strict=True)),
        "rate": dict(zip(names, rate, strict=True)),
    }  # fmt: skip
    assert pair_claim(row, 45).verdict == verdict


@pytest.mark.parametrize(
    ("table", "names", "reason"),
    [
        (np.array([[5, 3], [4, 5]]), ("a", "b"), "with 2 classes"),
        (np.diag([10] * 10), CIFAR10, "0 errors are fewer than the 20 rates"),
        (np.diag([3] * 9 + [0]) + np.eye(10, k=1, dtype=int), CIFAR10, "1 errors|classes have no"),
        (np.eye(4, dtype=int)[[1, 0, 3, 2]], ("a", "b", "c", "d"), "4 errors are fewer than the 8"),
    ],
)
def test_what_cannot_be_tested_says_why(table, names, reason):
    if reason.startswith("1 errors"):
        table[9] = 0
        reason = "1 of 10 classes have no test images"
    section = pairs_section(table, names, num_resamples=50, seed=0)
    assert section["pairs"] == []
    assert reason in section["untested"]
    verdicts = [claim["verdict"] for claim in section["claims"]]
    assert verdicts == ["NOT TESTED"] * (4 if names == CIFAR10 else 0)


@pytest.mark.parametrize("predicted", ["constant", "all wrong", "three a class"])
def test_extreme_predictions_give_finite_numbers(predicted):
    table = np.zeros((10, 10), int)
    if predicted == "constant":
        table[:, 2] = 100
    elif predicted == "all wrong":
        table = 10 * (1 - np.eye(10, dtype=int))
    else:
        table = np.random.default_rng(0).multinomial(3, [0.1] * 10, size=10)
    section = pairs_section(table, CIFAR10, num_resamples=50, seed=0)
    assert not any(row["flagged"] for row in section["pairs"])
    assert np.isfinite([row["p"] for row in section["pairs"]]).all()
    assert np.isfinite([row["ratio"]["lower"] for row in section["pairs"]]).all()


def test_clusters_that_come_back_are_reported(section):
    by_classes = {tuple(c["classes"]): c for c in section["clustering"]["clusters"]}
    assert by_classes["cat", "dog"]["co_membership"] > 0.95


def test_classes_that_keep_together_without_a_flagged_pair_are_no_cluster():
    table = planted()
    nothing = np.zeros((10, 10), bool)
    found = clusters(table, CIFAR10, nothing, num_resamples=100, seed=0)
    assert found["clusters"] == []
    assert found["co_membership"][CAT][DOG] > 0.95
    one = nothing.copy()
    one[CAT, DOG] = one[DOG, CAT] = True
    found = clusters(table, CIFAR10, one, num_resamples=100, seed=0)
    assert [c["classes"] for c in found["clusters"]] == [["cat", "dog"]]


def test_the_tree_joins_the_most_confused_first():
    tree = average_linkage(planted())
    assert sorted(tree[0, :2]) == [CAT, DOG]
    assert tree[0, 2] == 0  # D = 1 - S / max S
    together, num_draws = co_membership(planted(), 2000, np.random.default_rng(0))
    assert num_draws == 500
    assert np.diag(together) == pytest.approx(1)
