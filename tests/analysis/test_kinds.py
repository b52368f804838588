"""Rigid and organic classes, as a run says or as is known of CIFAR-10's."""

import pytest

from analysis.errors.classes import Kinds
from tests.helpers.fabricate import CIFAR10


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
