"""Spaces whose trial N is the same configuration in every search, whatever was reported before."""

from collections.abc import Callable
from dataclasses import replace

import optuna
from optuna import Trial

from spaces.core import core as core_space
from trainables.config import FineTuneConfig

SHALLOW = ("top5", "stage4")


def core(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """Trial N is the N-th random draw of the space `core`."""
    return _drawn(trial, base, lambda own: core_space(own, base))


def shallow(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """The same with at most stage 4 unfrozen."""

    def draw(own: Trial) -> FineTuneConfig:
        depth = own.suggest_categorical("depth", SHALLOW)
        return replace(core_space(own, base), unfreeze=depth)

    return _drawn(trial, base, draw)


def _drawn(
    trial: Trial, base: FineTuneConfig, draw: Callable[[Trial], FineTuneConfig]
) -> FineTuneConfig:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trial.suggest_int("draw", trial.number, trial.number)
    return draw(optuna.create_study(sampler=optuna.samplers.RandomSampler(trial.number)).ask())
