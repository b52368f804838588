"""The sections on a run's own records: its trials, its winner's epochs, what stopping cost."""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.run.reader import Run
from analysis.statistics.metrics import IntArray
from analysis.trials.anytime import anytime_section
from analysis.trials.early_stopping import early_stopping_section
from analysis.trials.effects import effects_section
from analysis.trials.importance import importance_section
from analysis.trials.unfreeze import unfreeze_section
from analysis.trials.winner import search_section, trajectory_section


def the_search(run: Run, draws: dict[str, int]) -> dict[str, Any]:
    """What all trials say, and what stopping most of them cost."""
    events, settings = run.events(), run.experiment.get("settings", {})
    val_size = int(run.experiment["data"]["val_size"])
    return {
        "search": search_section(run.trials, run.epochs, run.best, val_size),
        "importance": importance_section(
            events, run.epochs, run.class_names, num_val_images=val_size, seed=draws["seed"]
        ),
        "effects": effects_section(events, run.epochs, num_val_images=val_size),
        "anytime": anytime_section(events, settings, num_val_images=val_size),
        "early_stopping": early_stopping_section(events, run.trials, run.epochs, settings, **draws),
    }


def training(
    run: Run,
    validation: tuple[IntArray, npt.NDArray[np.integer]] | None,
    draws: dict[str, int],
) -> dict[str, Any]:
    """How the winner got there; None for both sections where there is no winner."""
    if run.best is None:
        return {"trajectory": None, "unfreeze": None}
    trial, epoch = run.best["trial"], run.best["epoch"]
    labels, predictions = validation or (np.empty(0, np.int64), None)
    return {
        "trajectory": trajectory_section(run.epochs, trial, epoch),
        "unfreeze": unfreeze_section(labels, predictions, run.epochs, trial, **draws),
    }


def losses_to_the_selected(run: Run) -> list[float]:
    """The winner's validation loss of each epoch up to the selected one."""
    if run.best is None:
        return []
    own = run.epochs[run.epochs["trial"] == run.best["trial"]].sort_values("epoch")
    losses: list[float] = own.loc[own["epoch"] <= run.best["epoch"], "val_loss"].tolist()
    return losses
