"""Scores, against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from trainables.training.evaluation import Tally, soft_cross_entropy

CPU = torch.device("cpu")


@given(pairs=arrays(np.int64, (30, 2), elements=st.integers(0, 4)))
def test_scores_agree_with_scikit_learn(pairs):
    labels, predicted = pairs[:, 0], pairs[:, 1]
    tally = Tally(5, CPU)
    for part in (slice(0, 11), slice(11, 30)):  # in two batches
        logits = torch.nn.functional.one_hot(torch.tensor(predicted[part]), 5).float()
        tally.add(logits, torch.tensor(labels[part]), torch.tensor(0.0))
    scores = tally.scores()
    assert scores.confusion == confusion_matrix(labels, predicted, labels=range(5)).tolist()
    assert scores.accuracy == pytest.approx(accuracy_score(labels, predicted))
    expected = f1_score(labels, predicted, labels=range(5), average=None, zero_division=0)
    assert scores.f1 == pytest.approx(expected)
    assert scores.macro_f1 == pytest.approx(expected.mean())


def test_the_loss_is_the_mean_over_examples_not_over_batches():
    tally = Tally(2, CPU)
    tally.add(torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64), torch.tensor(1.0))
    tally.add(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64), torch.tensor(5.0))
    assert tally.scores().loss == pytest.approx(2.0)


def test_a_weighted_mean_is_the_same_for_labels_and_probabilities():
    logits = torch.tensor([[1.0, -0.5], [0.3, 0.2], [-1.0, 2.0]])
    labels, weights = torch.tensor([0, 1, 1]), torch.tensor([1.0, 3.0])
    certain = torch.nn.functional.one_hot(labels, 2).float()
    losses = [
        soft_cross_entropy(logits, targets, class_weights=weights) for targets in (labels, certain)
    ]
    assert losses[0].item() == pytest.approx(losses[1].item())
    # By hand: each example's loss times its weight, over the weights' sum of 7.
    each = -torch.log_softmax(logits, dim=1)[torch.arange(3), labels]
    assert losses[0].item() == pytest.approx(
        (each * torch.tensor([1.0, 3.0, 3.0])).sum().item() / 7
    )


def test_smoothed_cross_entropy_by_hand():
    logits = torch.log(torch.tensor([[0.7, 0.3]]))
    plain = soft_cross_entropy(logits, torch.tensor([0]))
    smoothed = soft_cross_entropy(logits, torch.tensor([0]), label_smoothing=0.2)
    assert plain.item() == pytest.approx(-np.log(0.7))
    assert smoothed.item() == pytest.approx(-0.9 * np.log(0.7) - 0.1 * np.log(0.3))
