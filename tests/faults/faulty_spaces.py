"""Spaces whose trials meet faults of their own."""

from dataclasses import replace

from trainables.config import FineTuneConfig


def weak_second(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 learns nothing, so that ASHA has something to stop."""
    rate = trial.suggest_float("head_lr", 3e-3, 3e-2, log=True)
    return replace(base, head_lr=1e-7 if trial.number == 1 else rate, unfreeze="top5")


def diverging_and_large(trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial 1 diverges, and trial 2 wants more memory than the others."""
    rate = trial.suggest_float("head_lr", 3e-3, 3e-2, log=True)
    config = replace(base, head_lr=rate, unfreeze="top5")
    if trial.number == 1:  # each step multiplies the weights by 1 - 10 x 1
        diverging = {"optimizer": "sgd", "schedule": "constant", "weight_decay": 1.0}
        return replace(config, head_lr=10.0, **diverging)
    if trial.number == 2:
        return replace(config, resolution_px=96, batch_size=256)
    return config
