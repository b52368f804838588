"""The settings of the trials and their values, all at the same epoch of phase 2.

ASHA stops most trials early, so their best values are of unequal training. What is compared is the
value at the last phase-2 epoch that nearly all trials reached: under ASHA its first rung.

Also what became of each trial: stopped by ASHA, spared, or never condemned.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.statistics.metrics import FloatArray

NEARLY_ALL = 0.9  # of the trials that entered phase 2
MAX_LEVELS = 5  # a number with at most so many values, tried twice each or more, is a choice
LEAST_SPAN = 10.0  # largest over smallest value from which on a number is read on a log scale
CLASS_F1 = "val_f1/"
VALUE, CLOCK = "val_macro_f1", "phase2_epoch"
ENDED = ("finished", "diverged")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One varied setting: a choice among levels, or a number.

    Attributes:
        name: as the study calls it.
        levels: of a choice, in order; empty for a number.
        values: of each trial, shape (N,): the level's index, or the number (its log10 where
            `is_log`). NaN where the setting was not asked, as an alpha without its mixing.
        is_log: whether the values are logarithms to the base 10.
        step: what an increase of a number's values by 1 means.
    """

    name: str
    levels: tuple[str, ...]
    values: FloatArray
    is_log: bool = False
    step: str = "unit"

    @property
    def kind(self) -> Literal["choice", "number"]:
        return "choice" if self.levels else "number"

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """In which trials the setting meant something, shape (N,)."""
        return ~np.isnan(self.values)

    @property
    def varies(self) -> bool:
        return len(np.unique(self.values[self.asked])) > 1

    def among(self, kept: npt.NDArray[np.bool_]) -> "Setting":
        """The same of some of the trials, without levels that none of them has; shape (N,)."""
        values = self.values[kept]
        if not self.levels:
            return replace(self, values=values)
        present = np.unique(values[~np.isnan(values)])
        places = np.where(np.isnan(values), np.nan, np.searchsorted(present, values))
        return replace(self, levels=tuple(self.levels[int(i)] for i in present), values=places)


@dataclass(frozen=True, kw_only=True)
class ComparedTrials:
    """The trials that have a value at the common epoch.

    Attributes:
        epoch: the common phase-2 epoch; None when no trial entered phase 2.
        num_entered: trials that entered phase 2.
        settings: those that vary among the compared trials, by name.
        macro_f1: validation macro-F1 at the epoch, shape (N,).
        class_f1: class -> its validation F1 then, shape (N,); NaN where undefined.
        backbones: of each trial, N names.
    """

    epoch: int | None
    num_entered: int
    settings: tuple[Setting, ...]
    macro_f1: FloatArray
    class_f1: Mapping[str, FloatArray]
    backbones: tuple[str, ...]

    @property
    def num_trials(self) -> int:
        return len(self.macro_f1)

    def among(self, kept: npt.NDArray[np.bool_]) -> "ComparedTrials":
        """The same of some of the trials; shape (N,)."""
        settings = (setting.among(kept) for setting in self.settings)
        return replace(
            self,
            settings=tuple(setting for setting in settings if setting.varies),
            macro_f1=self.macro_f1[kept],
            class_f1={name: values[kept] for name, values in self.class_f1.items()},
            backbones=tuple(name for name, keep in zip(self.backbones, kept, strict=True) if keep),
        )


def read_compared_trials(
    events: Iterable[Mapping[str, Any]], epochs: pd.DataFrame
) -> ComparedTrials:
    """Join the journal's `started` events, which say what was asked, with the epochs table."""
    started = {event["trial"]: event for event in events if event["event"] == "started"}
    epoch, num_entered = common_epoch(epochs)
    if epoch is None:
        at_epoch = pd.DataFrame({"trial": [], VALUE: []})
    else:
        at_epoch = epochs[(epochs[CLOCK] == epoch) & epochs["trial"].isin(started)]
        at_epoch = at_epoch.dropna(subset=[VALUE]).sort_values("trial")
    compared = [started[trial] for trial in at_epoch["trial"]]
    return ComparedTrials(
        epoch=epoch,
        num_entered=num_entered,
        settings=varied_settings([event["params"] for event in compared]),
        macro_f1=at_epoch[VALUE].to_numpy(dtype=float),
        class_f1={
            column.removeprefix(CLASS_F1): at_epoch[column].to_numpy(dtype=float)
            for column in at_epoch.columns
            if column.startswith(CLASS_F1)
        },
        backbones=tuple(str(event["config"].get("backbone")) for event in compared),
    )


def common_epoch(epochs: pd.DataFrame) -> tuple[int | None, int]:
    """The last phase-2 epoch that nearly all trials reached, and how many entered phase 2."""
    if CLOCK not in epochs or epochs[CLOCK].isna().all():
        return None, 0
    reached = epochs.dropna(subset=[CLOCK]).groupby(CLOCK)["trial"].nunique()
    num_entered = int(reached.iloc[0])
    return int(reached.index[reached >= NEARLY_ALL * num_entered].max()), num_entered


def varied_settings(params: list[Mapping[str, Any]]) -> tuple[Setting, ...]:
    """Every setting with two values or more; `params` is what the study chose, a trial each."""
    names = sorted({name for chosen in params for name in chosen})
    settings = (setting_of(name, [chosen.get(name) for chosen in params]) for name in names)
    return tuple(setting for setting in settings if setting.varies)


def setting_of(name: str, raw: list[Any]) -> Setting:
    """One setting from what each trial was given; None where it was not asked."""
    given = [value for value in raw if value is not None]
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)
    distinct = set(given)
    if is_number and not (len(distinct) <= MAX_LEVELS and len(given) >= 2 * len(distinct)):
        values = np.array([np.nan if value is None else float(value) for value in raw])
        is_log = min(given) > 0 and max(given) / min(given) >= LEAST_SPAN
        if is_log:
            return Setting(
                name=name, levels=(), values=np.log10(values), is_log=True, step="factor of 10"
            )
        return Setting(name=name, levels=(), values=values)
    levels = sorted(distinct) if is_number else sorted(distinct, key=str)
    place = {level: index for index, level in enumerate(levels)}
    return Setting(
        name=name,
        levels=tuple(str(level) for level in levels),
        values=np.array([place.get(value, np.nan) for value in raw], dtype=float),
    )


@dataclass(frozen=True, kw_only=True)
class AshaOutcomes:
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


def read_asha_outcomes(
    events: Iterable[Mapping[str, Any]], trials: pd.DataFrame, epochs: pd.DataFrame
) -> AshaOutcomes:
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
    return AshaOutcomes(
        stopped=frozenset(stopped),
        spared=frozenset(condemned_at),
        spared_worth={int(t): float(v) for t, v in worth.items() if t in condemned_at},
        survivor_worth={int(t): float(v) for t, v in worth.items() if t not in condemned_at},
        winner_alone=None if best is None else int(best["trial"]),
        worth_alone=math.nan if best is None else float(best[VALUE]),
    )
