"""What a study is asked before its sampler chooses: points that are worth a trial in any case."""

import warnings
from typing import Any

from optuna.distributions import CategoricalDistribution

from spaces.decks import deck_configs
from spaces.dimensions import parameters
from spaces.registry import Space, quiet_study
from trainables.config import FineTuneConfig
from trainables.errors import UserError


def first_asked(space: Space, base: FineTuneConfig) -> list[dict[str, Any]]:
    """Parameters to enqueue in a new study of a space that suits the run.

    A design (a space whose one parameter is a choice among arms) is asked every arm, in its order:
    a sampler would repeat some and miss others. Any other space is asked the run's own settings,
    so that a search is at least as good as they are, if they lie in it.
    """
    trial = quiet_study(seed=0).ask()
    space(trial, base)
    match list(trial.distributions.items()):
        case [(name, CategoricalDistribution(choices=choices))]:
            return [{name: choice} for choice in choices]
    return [point for point in [parameters(base)] if _holds(space, base, point)]


def deck_points(space: Space, base: FineTuneConfig) -> list[dict[str, Any]]:
    """Parameters of each deck to enqueue in a study of a space, as far as they lie in it.

    What the space does not ask for, such as a deck's backbone in `full`, stays the run's own.
    """
    points = (parameters(config) for config in deck_configs(base).values())
    return [point for point in points if _holds(space, base, point)]


def _holds(space: Space, base: FineTuneConfig, point: dict[str, Any]) -> bool:
    """Whether a space takes a point; a study that is asked another fails, or leaves its ranges."""
    study = quiet_study(seed=0)
    study.enqueue_trial(point)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Optuna's of a value out of its range
        try:
            space(study.ask(), base)
        except (ValueError, UserWarning, UserError):
            return False
    return True
