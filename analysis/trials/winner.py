"""What did the search try, and how much does choosing the best flatter the winner?"""

from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.intervals import expected_maximum

CONFIG_PREFIX = "config/"
OUTCOMES = ("status", "epochs", "best_epoch", "best_val_macro_f1")


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
