"""Our metrics are scikit-learn's wherever scikit-learn defines them."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from analysis.statistics import metrics

SMALL = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 4]])


@st.composite
def labels_and_predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    num_classes = draw(st.integers(2, 6))
    indices = st.integers(0, num_classes - 1)
    pairs = draw(st.lists(st.tuples(indices, indices), min_size=1, max_size=40))
    labels, predictions = np.array(pairs).T
    return labels, predictions, num_classes


@settings(max_examples=30, deadline=None)
@given(labels_and_predictions())
def test_equal_to_scikit_learn(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    labels, predictions, num_classes = case
    confusion = metrics.confusion_matrix(labels, predictions, num_classes)
    classes = list(range(num_classes))
    np.testing.assert_array_equal(
        confusion, reference.confusion_matrix(labels, predictions, labels=classes)
    )
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        labels, predictions, labels=classes, zero_division=np.nan
    )
    np.testing.assert_allclose(metrics.precision(confusion), precision)
    np.testing.assert_allclose(metrics.recall(confusion), recall)
    np.testing.assert_allclose(metrics.f1(confusion), f1)
    macro_f1 = reference.f1_score(labels, predictions, average="macro", zero_division=0)
    assert metrics.macro_f1(confusion) == pytest.approx(macro_f1)
    assert metrics.accuracy(confusion) == pytest.approx((labels == predictions).mean())


def test_by_hand() -> None:
    np.testing.assert_allclose(metrics.precision(SMALL), [1, 2 / 3, 4 / 6])
    np.testing.assert_allclose(metrics.recall(SMALL), [3 / 4, 2 / 4, 1])
    np.testing.assert_allclose(metrics.f1(SMALL), [6 / 7, 4 / 7, 8 / 10])
    assert metrics.accuracy(SMALL) == pytest.approx(9 / 12)


def test_leading_axes_are_independent() -> None:
    stack = np.stack([SMALL, SMALL.T])
    for metric in (metrics.precision, metrics.recall, metrics.f1, metrics.macro_f1):
        np.testing.assert_allclose(metric(stack), [metric(SMALL), metric(SMALL.T)])


def test_undefined_is_nan_without_a_warning() -> None:
    neither_seen_nor_predicted = np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metrics.recall(neither_seen_nor_predicted)[2])
        assert np.isnan(metrics.f1(neither_seen_nor_predicted)[2])
        assert metrics.macro_f1(neither_seen_nor_predicted) == pytest.approx((4 / 5 + 2 / 3) / 2)
        assert np.isnan(metrics.accuracy(np.zeros((3, 3), dtype=np.int64)))


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [([0, 1], [0], "shapes"), ([0, 3], [0, 0], "labels"), ([0, 1], [0, -1], "predictions")],
)
def test_refuses_what_is_no_class(labels: list[int], predictions: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        metrics.confusion_matrix(np.array(labels), np.array(predictions), 3)
