"""Class weights against counts done by hand."""

import numpy as np
import pytest

from trainables.classes import ORGANIC
from trainables.errors import UserError
from trainables.training.class_weights import class_weights

LABELS = np.array([0, 0, 0, 1, 1, 3])  # six pictures; class 2 does not occur
NAMES = ("cat", "truck", "chair", "frog")


def weights_of(kind, labels, names, *, deformable_factor=1.5, pair=None, pair_factor=1.5):
    return class_weights(
        kind,
        labels,
        names,
        organic=ORGANIC,
        deformable_factor=deformable_factor,
        pair=pair,
        pair_factor=pair_factor,
    )


def test_none_is_no_weights() -> None:
    assert weights_of("none", LABELS, NAMES, deformable_factor=1.5) is None


def test_balanced_by_hand() -> None:
    weights = weights_of("balanced", LABELS, NAMES, deformable_factor=9.0)
    assert weights.dtype == np.float32
    # Three classes occur, so each has 6 / 3 = 2 pictures' worth of weight; the absent one has none.
    np.testing.assert_allclose(weights, [2 / 3, 2 / 2, 0, 2 / 1], rtol=1e-6)
    assert weights[LABELS].mean() == pytest.approx(1)


def test_balanced_is_one_for_equal_counts() -> None:
    weights = weights_of("balanced", np.arange(40) % 4, NAMES, deformable_factor=9.0)
    assert weights.tolist() == [1, 1, 1, 1]


def test_deformable_weighs_organic_classes_whatever_their_counts() -> None:
    weights = weights_of("deformable", LABELS, NAMES, deformable_factor=1.5)
    assert weights.dtype == np.float32
    assert weights.tolist() == [1.5, 1, 1, 1.5]


def test_deformable_without_an_organic_class_names_the_way_out() -> None:
    with pytest.raises(UserError, match=r"truck, chair; allowed: .*bird.*; choose 'balanced'"):
        weights_of("deformable", LABELS % 2, ("truck", "chair"), deformable_factor=1.5)


def test_pair_weighs_its_two_classes_alone() -> None:
    weights = weights_of("pair", LABELS, NAMES, pair=(0, 3), pair_factor=2.5)
    assert weights.dtype == np.float32
    assert weights.tolist() == [2.5, 1, 1, 2.5]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'heavy'; allowed: none, balanced, deformable, pair"):
        weights_of("heavy", LABELS, NAMES, deformable_factor=1.5)
