"""Spaces that no search can use."""

from trainables.config import FineTuneConfig


def raising(trial, base: FineTuneConfig) -> FineTuneConfig:
    raise KeyError("head")


def forgetful(trial, base: FineTuneConfig) -> None:
    trial.suggest_float("dropout", 0.0, 0.5)


def without_base(trial) -> FineTuneConfig:
    return FineTuneConfig(dropout=trial.suggest_float("dropout", 0.0, 0.5))
