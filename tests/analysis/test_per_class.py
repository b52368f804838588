"""Classes one by one, and which of many a page shows."""

import numpy as np
import pytest

from analysis.errors.classes import Kinds, per_class_section, weakest
from analysis.statistics import metrics
from analysis.statistics.intervals import bootstrap


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
