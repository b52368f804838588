"""Spaces for tests."""

from dataclasses import replace

from trainables.config import FineTuneConfig


def good_and_bad(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 learns nothing, so that ASHA has something to stop."""
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    rate = 1e-7 if trial.number == 1 else 1e-2
    return replace(base, head_lr=rate, unfreeze="top5", dropout=dropout)


def no_statistics(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Nothing in it depends on which pictures share a worker: no dropout, BatchNorm frozen."""
    rate = trial.suggest_float("head_lr", 1e-2, 2e-2)
    return replace(base, head_lr=rate, unfreeze="top5", dropout=0.0, batchnorm="frozen")


def kernels(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Two settings of two values each: four configurations in all."""
    kernel = trial.suggest_categorical("interpolation", ("nearest", "bicubic"))
    decay = trial.suggest_float("ema_decay", 0.0, 0.5, step=0.5)
    return replace(base, interpolation=kernel, ema_decay=decay)
