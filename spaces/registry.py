"""A space by its name, or by `module:function` for a user's own."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.config import FineTuneConfig
from trainables.errors import UserError, refuse
from trainables.models.weights import check_weights

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

# Called with an Optuna trial and the run's own settings; returns the configuration to train, or
# raises UserError when the run's settings do not suit it.
Space = Callable[[Any, FineTuneConfig], FineTuneConfig]

NAMED = {
    "core": "spaces.core:core",
    "full": "spaces.full:full",
    "interpolation": "spaces.interpolation:interpolation",
    "backbone": "spaces.backbone:backbone",
    "decks": "spaces.decks:decks",
    "interventions": "spaces.interventions:interventions",
}
NUM_REHEARSALS = 50


@dataclass(kw_only=True)
class Rehearsal:
    """What a space drew while it was tried out.

    Attributes:
        space: the function.
        dimensions: what was asked, by name, in the order in which it was first asked.
        counts: in how many of the `NUM_REHEARSALS` draws.
    """

    space: Space
    dimensions: dict[str, "BaseDistribution"] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def load_space(name: str) -> Space:
    """The function behind a space's name; UserError when there is none."""
    module_name, _, function_name = NAMED.get(name, name).partition(":")
    ways_out = f"allowed: {', '.join(NAMED)}, or module:function of a module on the Python path"
    if not function_name:
        raise UserError(f"space is {name!r}; {ways_out}")
    if _is_in_run_folder(module_name):
        raise UserError(f"space is {name!r}, which is code inside a run folder; {ways_out}")
    try:
        space = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # a user's own module: whatever its lines may raise
        raise UserError(
            f"space is {name!r}, which cannot be imported ({_text(error)}); {ways_out}"
        ) from error
    if not callable(space):
        raise UserError(f"space is {name!r}, which is not a function; {ways_out}")
    return space


def _is_in_run_folder(module_name: str) -> bool:
    """Whether importing a module would run code beside an experiment.json: that is data."""
    parts = module_name.split(".")
    folders = [Path(entry, *parts[:n]) for entry in sys.path for n in range(1, len(parts) + 1)]
    return any((folder / "experiment.json").exists() for folder in folders)


def check_space(name: str, base: FineTuneConfig) -> Space:
    """Load a space and rehearse it; raises UserError as `rehearse` does."""
    return rehearse(name, base).space


def rehearse(name: str, base: FineTuneConfig) -> Rehearsal:
    """Load a space and try it out: it has to suit the run's settings in every draw.

    A few dozen configurations are drawn in a study that is thrown away, so that a space that does
    not suit the run, or draws what cannot be trained, is refused before any picture is read.

    Raises:
        UserError: what is wrong with the first draw that failed.
    """
    made, study = Rehearsal(space=load_space(name)), quiet_study(seed=0)
    for _ in range(NUM_REHEARSALS):
        trial = study.ask()
        try:
            config = made.space(trial, base)
        except UserError as error:
            raise UserError(*(f"--space {name}: {fault}" for fault in error.faults)) from error
        except Exception as error:
            raise UserError(
                f"--space {name} fails with {_text(error)}; allowed: a function of an Optuna trial "
                "and a FineTuneConfig that returns one; --debug shows the line"
            ) from error
        if not isinstance(config, FineTuneConfig):
            raise UserError(
                f"--space {name} returned {config!r}; allowed: a FineTuneConfig; end it with "
                "return dataclasses.replace(base, ...)"
            )
        faults = check_weights(config.backbone, config.weights)
        refuse(f"--space {name}: {fault}" for fault in faults)
        for dimension, distribution in trial.distributions.items():
            made.dimensions.setdefault(dimension, distribution)
            made.counts[dimension] = made.counts.get(dimension, 0) + 1
    return made


def quiet_study(*, seed: int) -> "Study":
    """A study in memory that draws at random and does not announce itself."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    finally:
        optuna.logging.set_verbosity(verbosity)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
