"""What a trial measures: a confusion matrix and losses summed on the device, one copy an epoch."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.training.parallel import WorkerGroup

GATE = 0.65  # minimum viable macro-F1 (decks A and B)


class Tally:
    """Sums of one pass over a split, kept on the device so that no step waits for the host."""

    def __init__(self, num_classes: int, device: torch.device) -> None:
        self.num_classes = num_classes
        self.confusion = torch.zeros(num_classes * num_classes, dtype=torch.int64, device=device)
        # Sum of losses and number of examples; float64, so that order hardly matters.
        self.loss = torch.zeros(2, dtype=torch.float64, device=device)

    def add(
        self, logits: Tensor, labels: Tensor, mean_loss: Tensor, *, has_one_label: bool = True
    ) -> None:
        """One batch: logits (B, K), labels int64 (B,), its mean loss (scalar).

        A batch whose pictures are mixed of two classes counts for the loss alone.
        """
        if has_one_label:
            cells = labels * self.num_classes + logits.detach().argmax(dim=1)
            self.confusion.scatter_add_(0, cells, torch.ones_like(cells))  # bincount would wait
        self.loss[0] += mean_loss.detach().double() * len(labels)
        self.loss[1] += len(labels)

    def sum_over(self, workers: WorkerGroup) -> "Tally":
        """Add up the tallies of a group of workers, each of which saw its own shard."""
        workers.sum(self.confusion)
        workers.sum(self.loss)
        return self

    def scores(self) -> "Scores":
        """The tally as numbers; the one point of an epoch where the host waits."""
        total, count = self.loss.tolist()
        return Scores(
            loss=total / count,
            confusion=self.confusion.reshape(self.num_classes, -1).tolist(),
        )


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Mean loss (nats) and the confusion counts of one pass; row = true class."""

    loss: float
    confusion: list[list[int]]

    @property
    def accuracy(self) -> float:
        """The share of right predictions; NaN where nothing was counted."""
        right = sum(row[i] for i, row in enumerate(self.confusion))
        total = sum(map(sum, self.confusion))
        return right / total if total else math.nan

    @property
    def f1(self) -> list[float]:
        """F1 of each class: 2 TP / (2 TP + FP + FN); 0 for a class neither seen nor predicted."""
        predicted = [sum(column) for column in zip(*self.confusion, strict=True)]
        return [
            2 * row[i] / max(sum(row) + predicted[i], 1) for i, row in enumerate(self.confusion)
        ]

    @property
    def macro_f1(self) -> float:
        """The unweighted mean of the classes' F1, as scikit-learn's `average="macro"`."""
        return sum(self.f1) / len(self.f1)


def soft_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    label_smoothing: float = 0.0,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Mean cross-entropy in float32; targets int64 (B,) or class probabilities (B, K).

    With weights it is the weighted mean for either kind of target. (PyTorch's own divides by the
    number of examples for probabilities, so that a mixed batch would weigh more than a plain one.)
    """
    has_probabilities = targets.is_floating_point()
    if class_weights is None or not has_probabilities:
        return F.cross_entropy(
            logits.float(), targets, weight=class_weights, label_smoothing=label_smoothing
        )
    total = F.cross_entropy(
        logits.float(),
        targets,
        weight=class_weights,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return total / (targets @ class_weights).sum()
