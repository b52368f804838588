"""A run in lines, for a pipe or a file: one aligned line an epoch, one a trial's end.

`Progress` is a search's, `FreshProgress` that of trainings with fresh seeds: a confirmation's, or
the arms of interventions.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from search.records.record import OBJECTIVE, Listener, RunRecord, TrialRecord
from trainables.config import FineTuneConfig

PHASES = {1: "head", 2: "finetune"}
HEADER = (
    f"{'elapsed':>8}  {'trial':>5}  {'phase':<8}  {'epoch':>5}  {'train loss':>10}  "
    f"{'val loss':>8}  {'val acc':>7}  {'val F1':>6}  {'images/s':>8}  best F1 so far"
)
FRESH_COLUMNS = (
    f"{'seed':>6}  {'phase':<8}  {'epoch':>5}  {'train loss':>10}  {'val F1':>6}  "
    f"{'images/s':>8}  done"
)


class Progress(Listener):
    """Prints to `out` (default: standard output); `clock` gives seconds."""

    def __init__(
        self,
        *,
        out: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out or _print
        self._clock = clock
        self._started = clock()
        self._has_header = False

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        if not self._has_header:
            self._out(HEADER)
            self._has_header = True
        total = trial.config["head_epochs"] + trial.config["finetune_epochs"]
        self._out(
            f"{self._elapsed()}  {trial.number:>5}  {PHASES[report['phase']]:<8}  "
            f"{report['epoch']:>2}/{total:<2}  {show_loss(report, 'train_loss'):>10}  "
            f"{show_loss(report, 'val_loss'):>8}  {report['val_accuracy']:>7.3f}  "
            f"{report[OBJECTIVE]:>6.3f}  {report['images_per_second']:>8.0f}  {_best(record)}"
        )

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        self._out(f"{self._elapsed()}  {trial.number:>5}  {describe_end(trial)}")

    def on_note(self, record: RunRecord, text: str) -> None:
        self._out(f"{self._elapsed()}  note: {text}")

    def _elapsed(self) -> str:
        return f"{duration(self._clock() - self._started):>8}"


class FreshProgress(Listener):
    """One aligned line an epoch, and one for a training that did not come through.

    Args:
        cells: a training's number -> what is trained (the search's trial, an arm), and the seed.
        title: of what is trained.
        out: takes a line; default: standard output.
    """

    def __init__(
        self,
        cells: Mapping[int, tuple[int | str, int]],
        *,
        title: str = "trial",
        out: Callable[[str], Any] | None = None,
    ) -> None:
        self._cells, self._title, self._out = cells, title, out or _print
        self._width = max(5, len(title), *(len(str(name)) for name, _ in cells.values()))
        self._started = time.monotonic()
        self._has_header = False

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        if not self._has_header:
            self._out(f"{'elapsed':>8}  {self._title:>{self._width}}  {FRESH_COLUMNS}")
            self._has_header = True
        last = FineTuneConfig.from_dict(trial.config).final_epoch
        done = sum(t.ended for t in record.trials.values()) + bool(report["finished"])
        self._out(
            f"{self._head(trial)}  {PHASES[report['phase']]:<8}  {report['epoch']:>2}/{last:<2}  "
            f"{_number(report, 'train_loss', 4):>10}  {_number(report, OBJECTIVE, 3):>6}  "
            f"{report['images_per_second']:>8.0f}  {done}/{len(self._cells)}"
        )

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        if trial.status != "finished":
            self._out(f"{self._head(trial)}  {describe_end(trial)}")

    def on_note(self, record: RunRecord, text: str) -> None:
        self._out(f"{duration(time.monotonic() - self._started):>8}  note: {text}")

    def _head(self, trial: TrialRecord) -> str:
        name, seed = self._cells[trial.number]
        return f"{duration(time.monotonic() - self._started):>8}  {name:>{self._width}}  {seed:>6}"


def describe_end(trial: TrialRecord) -> str:
    """How a trial ended, in a few words."""
    best = trial.best
    reached = f"best F1 {best[OBJECTIVE]:.3f} at epoch {best['epoch']}" if best else "no epoch"
    if trial.status == "stopped":
        epochs = f"{trial.rung} fine-tune epoch{'s' if trial.rung != 1 else ''}"
        return f"stopped by ASHA after {epochs}, {reached}"
    if trial.status == "failed":
        return f"failed: {trial.cause}"
    return f"{trial.status}, {reached}"


def duration(seconds: float) -> str:
    """Such as 0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def short(value: object) -> str:
    """A setting's value."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _best(record: RunRecord) -> str:
    trial = record.best_trial
    if trial is None or trial.best is None:
        return "-"
    return f"{trial.best[OBJECTIVE]:.3f} (trial {trial.number}, epoch {trial.best['epoch']})"


def show_loss(report: dict[str, Any], name: str) -> str:
    """A loss that a report may lack: an undefined one is left out."""
    return f"{report[name]:.4f}" if name in report else "-"


def _number(report: dict[str, Any], name: str, digits: int) -> str:
    return f"{report[name]:.{digits}f}" if name in report else "-"


def _print(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
