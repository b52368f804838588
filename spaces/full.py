"""Every dimension at once."""

from dataclasses import replace

from optuna import Trial

from spaces.core import core
from trainables.config import CHOICES, FineTuneConfig


def full(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """The dimensions of `core`, and the head's kind, rate, dropout and weight decay.

    Command: python -m search.run --preset laptop --space full
    For: the search itself; wants three trials or more a dimension to model them well.
    """
    config = core(trial, base)
    head = trial.suggest_categorical("head", CHOICES["head"])
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.1)
    return replace(
        config,
        head=head,
        dropout=dropout,
        head_lr=trial.suggest_float("head_lr", 3e-4, 1e-2, log=True),  # AdamW's useful decades
        weight_decay=trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
    )
