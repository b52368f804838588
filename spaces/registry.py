"""A space by its name, or by `module:function` for a user's own."""

import importlib
from collections.abc import Callable
from typing import Any

from trainables.config import FineTuneConfig
from trainables.errors import UserError

# Called with an Optuna trial and the run's own settings; returns the configuration to train.
Space = Callable[[Any, FineTuneConfig], FineTuneConfig]

NAMED = {"core": "spaces.core:core", "full": "spaces.full:full"}


def load_space(name: str) -> Space:
    """The function behind a space's name; UserError when there is none."""
    module_name, _, function_name = NAMED.get(name, name).partition(":")
    ways_out = f"allowed: {', '.join(NAMED)}, or module:function of a module on the Python path"
    if not function_name:
        raise UserError(f"space is {name!r}; {ways_out}")
    try:
        space = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"space is {name!r}, which cannot be imported ({error}); {ways_out}") from (
            error
        )
    if not callable(space):
        raise UserError(f"space is {name!r}, which is not a function; {ways_out}")
    return space
