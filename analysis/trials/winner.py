"""How was the winner found, and how much does choosing the best flatter it?

What the search tried, what fresh seeds and the sealed test say of the figure that was selected, and
how the winner got there: its epochs, and what changed at the unfreeze point.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.intervals import expected_maximum
from trainables.training.epoch_report import FIGURES

CONFIG_PREFIX = "config/"
OUTCOMES = ("status", "epochs", "best_epoch", "best_val_macro_f1")
ROW_KEYS = ("trial", "epoch", "selected", "figures", "mean", "sd", "seconds", "out")


def search_section(
    trials: pd.DataFrame, epochs: pd.DataFrame, best: dict[str, Any] | None, num_val_images: int
) -> dict[str, Any]:
    """Every trial with the settings in which trials differ, best first, and the selection note.

    Args:
        trials: the run's table, one row a trial.
        epochs: the run's table, one row a trial and epoch.
        best: the record of the selected trial and epoch; None where nothing was selected.
        num_val_images: size of the validation set that selected it.
    """
    ranked = trials.sort_values(["best_val_macro_f1", "trial"], ascending=[False, True])
    settings = [name for name in ranked.columns if name.startswith(CONFIG_PREFIX)]
    varied = [name for name in settings if ranked[name].astype(str).nunique() > 1]
    short = [name.removeprefix(CONFIG_PREFIX) for name in varied]
    status = dict(zip(ranked["trial"], ranked["status"], strict=True))
    return {
        "winner": int(best["trial"]) if best else None,
        "num_trials": len(ranked),
        "statuses": {str(name): int(n) for name, n in ranked["status"].value_counts().items()},
        "varied_settings": short,
        "trials": [
            {
                "trial": int(row["trial"]),
                **{name: _plain(row[name]) for name in OUTCOMES},
                "settings": dict(zip(short, map(_plain, row[varied]), strict=True)),
            }
            for _, row in ranked.iterrows()
        ],
        "curves": [
            {
                "trial": int(trial),
                "status": str(status.get(trial, "running")),
                "epochs": [int(epoch) for epoch in rows["epoch"]],
                "val_macro_f1": [float(value) for value in rows["val_macro_f1"]],
            }
            for trial, rows in epochs.sort_values("epoch").groupby("trial")
        ],
        "num_val_images": num_val_images,
        "selection": selection_note(trials, best, num_val_images) if best else None,
    }


def selection_note(
    trials: pd.DataFrame, best: dict[str, Any], num_val_images: int
) -> dict[str, Any]:
    """The winner's validation figures and how far its choice alone could lift them.

    `expected_optimism` is what the best of N equally good trials gains in accuracy when their
    validation errors are independent: sqrt(p (1 - p) / n) times the expected maximum of N normals.
    Trials share their validation images, so it is closer to an upper bound than to an estimate.
    """
    num_candidates = int(trials["best_val_macro_f1"].notna().sum())
    accuracy = float(best["val_accuracy"])
    standard_error = np.sqrt(accuracy * (1 - accuracy) / num_val_images)
    return {
        "num_candidates": num_candidates,
        "val_macro_f1": float(best["val_macro_f1"]),
        "val_accuracy": accuracy,
        "expected_optimism": float(standard_error * expected_maximum(max(num_candidates, 1))),
    }


def _plain(value: Any) -> Any:
    """A JSON value for a table cell; whole floats, which a column with gaps makes, are counts."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def confirmation_section(
    confirmation: Mapping[str, Any] | None, reported: int | None, test: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The contents of confirm.json, and the test figure beside its optimism meter.

    The meter is read on the best candidate of the search. The test figure is of the run's
    checkpoint, and so stands beside the meter only where both are of one trial.

    Args:
        confirmation: contents of confirm.json; None when the run was not confirmed.
        reported: trial of the run's checkpoint.
        test: its macro-F1 on the sealed test (an estimate); None where it was not tested.
    """
    if confirmation is None:
        return None
    rows = [{key: row[key] for key in ROW_KEYS} for row in confirmation["configurations"]]
    return {
        **{key: confirmation[key] for key in ("seeds", "method", "comparisons")},
        **{key: confirmation[key] for key in ("tie_set", "winner", "verdict")},
        "configurations": rows,
        "reported_trial": reported,
        "meter": _meter(confirmation["optimism"], reported, test),
    }


def _meter(
    meter: Mapping[str, Any] | None, reported: int | None, test: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if meter is None:
        return None
    shown = test if meter["trial"] == reported else None
    return {
        **meter,
        "test": shown,
        "fresh_to_test": shown["value"] - meter["fresh_mean"] if shown else None,
    }


def trajectory_section(epochs: pd.DataFrame, trial: int, best_epoch: int) -> dict[str, Any]:
    """The winner's curves, and its last phase-1 epoch against its best one.

    Args:
        epochs: the run's table, one row a trial and epoch.
        trial: the winner.
        best_epoch: its selected epoch, 1-based.
    """
    rows = epochs[epochs["trial"] == trial].sort_values("epoch")
    head = rows[rows["phase"] == 1]
    return {
        "trial": trial,
        "best_epoch": best_epoch,
        "last_head_epoch": int(head["epoch"].max()) if len(head) else None,
        "epochs": [int(epoch) for epoch in rows["epoch"]],
        "phases": [int(phase) for phase in rows["phase"]],
        "curves": {name: [float(value) for value in rows[name]] for name in FIGURES},
        "unfreeze": _unfreeze(head, rows[rows["epoch"] == best_epoch].iloc[0]),
    }


def _unfreeze(head: pd.DataFrame, best: pd.Series) -> dict[str, Any] | None:
    """Both sides of the unfreeze point; None when the best epoch does not lie behind it."""
    if head.empty or best["phase"] == 1:
        return None
    before = {name: float(head.iloc[-1][name]) for name in FIGURES}
    after = {name: float(best[name]) for name in FIGURES}
    return {
        "before": {"epoch": int(head.iloc[-1]["epoch"]), **before},
        "best": {"epoch": int(best["epoch"]), **after},
        "change": {name: after[name] - before[name] for name in FIGURES},
    }
