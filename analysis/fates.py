"""What became of a run's trials: stopped by ASHA, spared, or never condemned."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.metrics import FloatArray

VALUE, CLOCK = "val_macro_f1", "phase2_epoch"
ENDED = ("finished", "diverged")


@dataclass(frozen=True, kw_only=True)
class Fates:
    """The trials by what ASHA made of them; a trial is worth its best epoch's value.

    Attributes:
        stopped: trials that ASHA stopped.
        spared: trials that it would have stopped, ended or not.
        spared_worth: of each spared trial that ended, by trial.
        survivor_worth: of each trial that ended without ever being condemned, by trial.
        winner_alone: the trial of the best epoch that ASHA would have seen without sparing; None
            when nothing was reported.
        worth_alone: that epoch's value, NaN when there is none.
    """

    stopped: frozenset[int]
    spared: frozenset[int]
    spared_worth: Mapping[int, float]
    survivor_worth: Mapping[int, float]
    winner_alone: int | None
    worth_alone: float

    @property
    def num_condemned(self) -> int:
        return len(self.stopped) + len(self.spared)

    @property
    def spared_weight(self) -> float:
        """Condemned trials that each ended spared one stands for; NaN when none ended."""
        return self.num_condemned / len(self.spared_worth) if self.spared_worth else math.nan

    @property
    def gains(self) -> FloatArray:
        """How much better each ended spared trial was than ASHA's own winner; negative: worse."""
        return np.array([worth - self.worth_alone for worth in self.spared_worth.values()])


def read_fates(
    events: Iterable[Mapping[str, Any]], trials: pd.DataFrame, epochs: pd.DataFrame
) -> Fates:
    """Fold the journal's `stopped` and `spared` events over the two tables.

    Args:
        events: of the journal, oldest first.
        trials: one row a trial.
        epochs: one row a trial and epoch.
    """
    stopped: set[int] = set()
    condemned_at: dict[int, int] = {}  # spared trial -> the epoch at whose end it was condemned
    for event in events:
        if event["event"] == "spared":
            condemned_at.setdefault(event["trial"], event["epoch"])
        elif event["event"] == "stopped" and event.get("by") == "asha":
            stopped.add(event["trial"])
    ended = trials.loc[trials["status"].isin(ENDED), "trial"]
    own = epochs[epochs["trial"].isin(ended)]
    worth = own.groupby("trial")[VALUE].max().dropna()
    last_alone = epochs["trial"].map(condemned_at).fillna(np.inf)
    alone = epochs[epochs["epoch"] <= last_alone].dropna(subset=[VALUE])
    best = alone.loc[alone[VALUE].idxmax()] if len(alone) else None
    return Fates(
        stopped=frozenset(stopped),
        spared=frozenset(condemned_at),
        spared_worth={int(t): float(v) for t, v in worth.items() if t in condemned_at},
        survivor_worth={int(t): float(v) for t, v in worth.items() if t not in condemned_at},
        winner_alone=None if best is None else int(best["trial"]),
        worth_alone=math.nan if best is None else float(best[VALUE]),
    )
