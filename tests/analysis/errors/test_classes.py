"""The list of confusions, counted by hand.

Rigid and organic classes, as a run says or as is known of CIFAR-10's.

Classes one by one, and which of many a page shows.
"""

import numpy as np
import pytest

from analysis.errors.classes import (
    Kinds,
    confused_pairs,
    confusion_section,
    per_class_section,
    weakest,
)
from analysis.statistics import metrics
from analysis.statistics.intervals import bootstrap
from tests.helpers.fabricate import CIFAR10

COUNTS = np.array([[5, 4, 1], [2, 8, 0], [4, 0, 6]])
NAMES = ("ant", "bee", "cow")


def test_pairs_largest_first_and_ties_in_class_order() -> None:
    pairs = confused_pairs(COUNTS, NAMES)
    told = [(p["true"], p["predicted"], p["count"], p["reverse_count"]) for p in pairs]
    assert told == [
        ("ant", "bee", 4, 2),
        ("cow", "ant", 4, 1),
        ("bee", "ant", 2, 4),
        ("ant", "cow", 1, 4),
    ]
    assert pairs[0]["share"]["value"] == pytest.approx(0.4)
    assert pairs[0]["share"]["lower"] < 0.4 < pairs[0]["share"]["upper"]


def test_pairs_are_limited() -> None:
    assert len(confused_pairs(COUNTS, NAMES, num_pairs=2)) == 2


def test_no_pair_without_an_error() -> None:
    assert confused_pairs(np.diag([3, 4]), ("ant", "bee")) == []


def test_section_of_an_absent_class() -> None:
    section = confusion_section(np.array([[1, 1], [0, 0]]), ("ant", "bee"))
    assert section["num_errors"] == 1
    assert section["shares"][0] == [0.5, 0.5]
    assert np.isnan(section["shares"][1]).all()


def test_cifar10s_are_known() -> None:
    kinds = Kinds.of_run({}, CIFAR10)
    rigid = [name for name in CIFAR10 if kinds.of(name) == "rigid"]
    assert rigid == ["airplane", "automobile", "ship", "truck"]
    assert {kinds.of(name) for name in CIFAR10} == {"rigid", "organic"}
    assert kinds.untested is None


@pytest.mark.parametrize("names", [("cat", "truck"), (*CIFAR10, "zebra"), CIFAR10[1:]])
def test_of_other_classes_nothing_is_guessed(names: tuple[str, ...]) -> None:
    kinds = Kinds.of_run({"organic": "", "rigid": ""}, names)
    assert [kinds.of(name) for name in names] == [None] * len(names)
    assert "--organic" in (kinds.untested or "")


def test_all_others_are_rigid_unless_they_are_listed_too() -> None:
    names = ("cup", "leaf", "newt", "pond")
    assert Kinds.of_run({"organic": "leaf, newt"}, names).rigid == {"cup", "pond"}
    both = Kinds.of_run({"organic": "leaf,newt", "rigid": "cup"}, names)
    assert [both.of(name) for name in names] == ["rigid", "organic", "organic", None]
    assert Kinds.of_run({"organic": ",".join(names)}, names).untested is not None


def test_section_with_an_absent_class() -> None:
    confusion = np.array([[6, 2, 0], [1, 9, 2], [0, 0, 0]])
    rng = np.random.default_rng(0)
    f1_samples = bootstrap(confusion, {"f1": metrics.f1}, num_resamples=300, rng=rng)["f1"]
    section = per_class_section(confusion, ("ant", "bee", "cow"), Kinds(), f1_samples)
    ant, bee, cow = section["classes"]
    assert section["absent"] == ["cow"]
    assert ant["precision"]["value"] == pytest.approx(6 / 7)
    assert bee["recall"]["value"] == pytest.approx(9 / 12)
    assert bee["f1"]["lower"] < bee["f1"]["value"] < bee["f1"]["upper"]
    # Never seen but predicted twice: recall is undefined, precision and F1 are nought.
    assert np.isnan(cow["recall"]["value"])
    assert (cow["precision"]["value"], cow["f1"]["value"], cow["num_predicted"]) == (0, 0, 2)


def test_of_many_classes_the_weakest_are_shown() -> None:
    rows = [{"name": str(k), "f1": {"value": (7 * k % 100) / 100}} for k in range(100)]
    rows[3]["f1"]["value"] = None  # undefined counts as the weakest
    shown = weakest(rows)
    assert len(shown) == 40
    assert {"3", "0"} == {row["name"] for row in shown[:2]}
    assert weakest(rows[:40]) == rows[:40]
