"""Classes one by one, and the marks of CIFAR-10's."""

import numpy as np
import pytest
from fabricate import CIFAR10

from analysis import metrics
from analysis.per_class import kinds_of, per_class_section
from analysis.statistics import bootstrap


def test_rigid_and_organic_are_cifar10_only() -> None:
    kinds = dict(zip(CIFAR10, kinds_of(CIFAR10), strict=True))
    assert [name for name in CIFAR10 if kinds[name] == "rigid"] == [
        "airplane",
        "automobile",
        "ship",
        "truck",
    ]
    assert kinds_of(("cat", "truck")) == [None, None]


def test_section_with_an_absent_class() -> None:
    confusion = np.array([[6, 2, 0], [1, 9, 2], [0, 0, 0]])
    rng = np.random.default_rng(0)
    f1_samples = bootstrap(confusion, {"f1": metrics.f1}, num_resamples=300, rng=rng)["f1"]
    section = per_class_section(confusion, ("ant", "bee", "cow"), f1_samples)
    ant, bee, cow = section["classes"]
    assert section["absent"] == ["cow"]
    assert ant["precision"]["value"] == pytest.approx(6 / 7)
    assert bee["recall"]["value"] == pytest.approx(9 / 12)
    assert bee["f1"]["lower"] < bee["f1"]["value"] < bee["f1"]["upper"]
    # Never seen but predicted twice: recall is undefined, precision and F1 are nought.
    assert np.isnan(cow["recall"]["value"])
    assert (cow["precision"]["value"], cow["f1"]["value"], cow["num_predicted"]) == (0, 0, 2)
