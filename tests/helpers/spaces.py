"""Spaces for tests.

Spaces that no search can use.

Spaces whose trials meet faults of their own.
"""

from dataclasses import replace

from trainables.config import FineTuneConfig

# A dozen steps have to show whether something is learnt: no average that lags behind them.
QUICK = {
    "ema_decay": 0.0,
    "batchnorm": "train",
    "label_smoothing": 0.0,
    "layer_decay": 1.0,
    "unfreeze": "top5",
}


def good_and_bad(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 learns nothing, so that ASHA has something to stop."""
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    rate = 1e-7 if trial.number == 1 else 1e-2
    return replace(base, **QUICK, head_lr=rate, dropout=dropout)


def no_statistics(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Nothing in it depends on which pictures share a worker: no dropout, BatchNorm frozen."""
    rate = trial.suggest_float("head_lr", 1e-2, 2e-2)
    return replace(base, head_lr=rate, unfreeze="top5", dropout=0.0, batchnorm="frozen")


def kernels(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Two settings of two values each: four configurations in all."""
    kernel = trial.suggest_categorical("interpolation", ("nearest", "bicubic"))
    decay = trial.suggest_float("ema_decay", 0.0, 0.5, step=0.5)
    return replace(base, interpolation=kernel, ema_decay=decay)


def raising(trial, base: FineTuneConfig) -> FineTuneConfig:
    raise KeyError("head")


def forgetful(trial, base: FineTuneConfig) -> None:
    trial.suggest_float("dropout", 0.0, 0.5)


def without_base(trial) -> FineTuneConfig:
    return FineTuneConfig(dropout=trial.suggest_float("dropout", 0.0, 0.5))


def weak_second(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 learns nothing, so that ASHA has something to stop."""
    rate = trial.suggest_float("head_lr", 3e-3, 3e-2, log=True)
    return replace(base, **QUICK, head_lr=1e-7 if trial.number == 1 else rate)


def diverging_and_large(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 diverges, and trial 2 wants more memory than the others."""
    rate = trial.suggest_float("head_lr", 3e-3, 3e-2, log=True)
    config = replace(base, **QUICK, head_lr=rate)
    if trial.number == 1:  # each step multiplies the weights by 1 - 10 x 1
        diverging = {"optimizer": "sgd", "schedule": "constant", "weight_decay": 1.0}
        return replace(config, head_lr=10.0, **diverging)
    if trial.number == 2:
        return replace(config, resolution_px=96, batch_size=256)
    return config
