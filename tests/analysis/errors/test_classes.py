"""The list of confusions, counted by hand."""

import numpy as np
import pytest

from analysis.errors.classes import confused_pairs, confusion_section

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
