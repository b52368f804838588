"""A run that tested interventions (`search.run --around`), from its folder to its verdicts."""

import math
from typing import Any

import numpy as np

from analysis.compare.arms import interventions_section
from analysis.run.reader import Run
from analysis.statistics.metrics import IntArray
from trainables.errors import UserError
from trainables.storage.layout import EPOCHS, EXPERIMENT

DESIGN = "interventions"  # key of experiment.json
DESIGN_KEYS = ("around", "pair", "placebo", "source", "arms", "seeds")


def compare_arms(run: Run) -> dict[str, Any]:
    """The verdict on every arm, and what the arms are; NaN where a figure is undefined.

    Raises:
        UserError: the run has no arms, or its record lacks the confusion counts.
    """
    design = run.experiment.get(DESIGN)
    if not isinstance(design, dict) or any(key not in design for key in DESIGN_KEYS):
        raise UserError(
            f"{run.path} tested no interventions; allowed: one run that `python -m search.run "
            "--space interventions --around RUN` made, or several runs to lay side by side"
        )
    section = interventions_section(
        last_confusions(run, design), pair=tuple(design["pair"]), class_names=run.class_names
    )
    baseline = next(iter(design["arms"].values()))
    for row, arm in enumerate(section["arms"]):
        arm["changes"] = _changes(baseline, design["arms"][arm["arm"]])
        arm["training_minutes"] = _mean_minutes(run, row, len(section["arms"]))
    return {
        "run": run.path.name,
        "around": design["around"],
        "source": design["source"],
        "placebo": list(design["placebo"]),
        "data_fingerprint": run.experiment["data_fingerprint"],
        **section,
    }


def last_confusions(run: Run, design: dict[str, Any]) -> dict[str, dict[int, IntArray]]:
    """By arm and seed, the validation counts (K, K) after the last epoch of a finished trial.

    Trial `row + column * num_arms` is arm `row` with seed `column`.
    """
    if "val_confusion" not in run.epochs:
        raise UserError(
            f"{run.path / EPOCHS} lacks val_confusion; allowed: the table that the search wrote; "
            f"restore it beside {EXPERIMENT}"
        )
    names, num_classes = list(design["arms"]), len(run.class_names)
    finished = set(run.trials.loc[run.trials["status"] == "finished", "trial"])
    last = run.epochs.sort_values("epoch").groupby("trial").last()
    found: dict[str, dict[int, IntArray]] = {name: {} for name in names}
    for trial, counts in last["val_confusion"].items():
        if trial in finished:
            column, row = divmod(int(trial), len(names))
            confusion = np.asarray(counts, dtype=np.int64).reshape(num_classes, num_classes)
            found[names[row]][design["seeds"][column]] = confusion
    return found


def _mean_minutes(run: Run, row: int, num_arms: int) -> float:
    """Of a finished training of an arm; NaN without one, or where the table has no times."""
    is_of_arm = run.trials["trial"] % num_arms == row
    trials = run.trials[is_of_arm & (run.trials["status"] == "finished")]
    return float(trials["seconds"].mean()) / 60 if "seconds" in trials else math.nan


def _changes(baseline: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value != baseline.get(name)}
