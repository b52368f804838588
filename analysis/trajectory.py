"""How did the winner get there, and what changed at the unfreeze point?"""

from typing import Any

import pandas as pd

CURVES = (
    "train_accuracy",
    "val_accuracy",
    "val_macro_f1",
    "train_loss",
    "val_loss",
)


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
        "curves": {name: [float(value) for value in rows[name]] for name in CURVES},
        "unfreeze": _unfreeze(head, rows[rows["epoch"] == best_epoch].iloc[0]),
    }


def _unfreeze(head: pd.DataFrame, best: pd.Series) -> dict[str, Any] | None:
    """Both sides of the unfreeze point; None when the best epoch does not lie behind it."""
    if head.empty or best["phase"] == 1:
        return None
    before = {name: float(head.iloc[-1][name]) for name in CURVES}
    after = {name: float(best[name]) for name in CURVES}
    return {
        "before": {"epoch": int(head.iloc[-1]["epoch"]), **before},
        "best": {"epoch": int(best["epoch"]), **after},
        "change": {name: after[name] - before[name] for name in CURVES},
    }
