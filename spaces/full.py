"""Every dimension at once."""

from dataclasses import replace

from optuna import Trial

from spaces import dimensions
from spaces.core import core
from trainables.config import FineTuneConfig


def full(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """The dimensions of `core`, and the head's kind, rate, dropout and weight decay.

    Command: python -m search.run --preset laptop --space full
    For: the search itself; wants three trials or more a dimension to model them well.
    """
    return replace(
        core(trial, base),
        head=dimensions.head(trial),
        dropout=dimensions.dropout(trial),
        head_lr=dimensions.head_lr(trial),
        weight_decay=dimensions.weight_decay(trial),
    )
