"""A space for tests: trial 1 learns nothing, so that ASHA has something to stop."""

from dataclasses import replace

from trainables.config import FineTuneConfig


def good_and_bad(trial, base: FineTuneConfig) -> FineTuneConfig:
    trial.suggest_float("dropout", 0.0, 0.5)
    rate = 1e-7 if trial.number == 1 else 1e-2
    return replace(base, head_lr=rate, unfreeze="top5")
