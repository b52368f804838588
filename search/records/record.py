"""What happened to each trial: a fold over the journal's events, and the listeners to it.

The words at the top are those that worker, Tune, Optuna and the run folder share.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from trainables.storage import journal
from trainables.storage.layout import TRIALS_FOLDER

Status = Literal["running", "finished", "stopped", "failed", "diverged"]
OBJECTIVE = "val_macro_f1"  # a trial is worth its best epoch's; higher is better
CLOCK = "phase2_epoch"  # ASHA's clock; absent while the backbone is frozen
STUDY_NAME = "search"
EXPERIMENT_NAME = TRIALS_FOLDER  # Ray Tune's name of the run, and so of its folder
FIRST_SEED = 1000  # of the fresh ones, after the run's own
SEED_LIMIT = 2**31  # of FineTuneConfig and of DataSpec


@dataclass(kw_only=True)
class TrialRecord:
    """One trial as far as it got."""

    number: int
    config: dict[str, Any]
    params: dict[str, Any] = field(default_factory=dict)  # what Optuna chose of it
    status: Status = "running"
    reports: list[dict[str, Any]] = field(default_factory=list)  # one an epoch, in order
    rung: int | None = None  # phase-2 epochs at the rung where ASHA stopped it
    spared_at: int | None = None  # the rung where ASHA would have, had it not been let run on
    cause: str | None = None  # of a failure, one line
    kind: str | None = None  # of a failure: "out_of_memory" or "error"

    @property
    def best(self) -> dict[str, Any] | None:
        """The report of its best epoch; None while no validation is on record."""
        validated = [report for report in self.reports if OBJECTIVE in report]
        return max(validated, key=lambda report: report[OBJECTIVE], default=None)

    @property
    def ended(self) -> bool:
        return self.status != "running"


class RunRecord:
    """All trials of a run; `apply` takes one journal event after the other."""

    def __init__(self) -> None:
        self.trials: dict[int, TrialRecord] = {}
        self.asked: set[int] = set()  # numbers of the configurations that were to be trained
        self.answered: dict[int, int] = {}  # an exact duplicate -> the trial that answered it
        self.prior_results: list[dict[str, Any]] = []  # results taken over from another run
        self.asked_first: list[dict[str, Any]] = []  # its points that are worth a trial here
        # (trial number, report) in the order of arrival, as ASHA saw them.
        self.reports: list[tuple[int, dict[str, Any]]] = []
        # The trial whose best epoch is the best of all; the earlier one of two equals.
        self.best_trial: TrialRecord | None = None
        self._sessions: list[list[datetime]] = []  # first and last event of each

    @classmethod
    def read(cls, path: Path) -> "RunRecord":
        """The record that a journal tells."""
        return cls.of(journal.read(path))

    @classmethod
    def of(cls, events: Iterable[dict[str, Any]]) -> "RunRecord":
        record = cls()
        for event in events:
            record.apply(event)
        return record

    @property
    def num_ended(self) -> int:
        return sum(trial.ended for trial in self.trials.values())

    @property
    def elapsed_seconds(self) -> float:
        """Time that the sessions took, each up to its last event: a killed one counts too."""
        return sum((last - first).total_seconds() for first, last in self._sessions)

    def apply(self, event: dict[str, Any]) -> None:
        """Take in one event; those that concern no trial are passed over."""
        self._note_time(event)
        match event["event"]:
            case "asked":
                self.asked.add(event["trial"])
            case "answered":
                self.answered[event["trial"]] = event["of"]
            case "warm_started":
                self.prior_results, self.asked_first = event["points"], event["first"]
            case "started":
                trial = TrialRecord(
                    number=event["trial"], config=event["config"], params=event["params"]
                )
                self.trials.setdefault(trial.number, trial)
            case "reported":
                self._take_in(self.trials[event["trial"]], event["report"])
            case "spared":
                self.trials[event["trial"]].spared_at = event["rung"]
            case "finished" | "stopped" | "failed" | "diverged" as status:
                trial = self.trials[event["trial"]]
                trial.status = status
                trial.rung = event.get("rung")
                trial.cause, trial.kind = event.get("cause"), event.get("kind")

    def has_epoch(self, number: int, epoch: int) -> bool:
        """Whether an epoch of a trial was reported already (a resumed trial reports it again)."""
        trial = self.trials.get(number)
        return trial is not None and any(report["epoch"] == epoch for report in trial.reports)

    def _take_in(self, trial: TrialRecord, report: dict[str, Any]) -> None:
        trial.reports.append(report)
        self.reports.append((trial.number, report))
        if OBJECTIVE in report and (
            self.best_trial is None or _rank(trial, report) > _rank(self.best_trial)
        ):
            self.best_trial = trial

    def _note_time(self, event: dict[str, Any]) -> None:
        if "time" not in event:
            return
        time = datetime.fromisoformat(event["time"])
        if event["event"] == "session_started":
            self._sessions.append([time, time])
        elif event["event"] in ("reported", "session_ended") and self._sessions:
            self._sessions[-1][1] = time


def _rank(trial: TrialRecord, report: dict[str, Any] | None = None) -> tuple[float, int]:
    """What trials are ordered by, in one of their epochs (default: their best)."""
    report = report or trial.best
    return (report[OBJECTIVE], -trial.number) if report else (-math.inf, 0)


def fresh_seeds(record: RunRecord, run_seed: int, count: int) -> tuple[int, ...]:
    """The first `count` seeds from run_seed + 1000 on that no trial of the run has."""
    used = {run_seed, *(trial.config["seed"] for trial in record.trials.values())}
    numbers = (
        (run_seed + FIRST_SEED + i) % SEED_LIMIT for i in range(count + len(record.trials) + 1)
    )
    return tuple([number for number in numbers if number not in used][:count])


class RunLog:
    """Every event is on disk before it counts; without a path it lives in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.record = RunRecord.read(path) if path else RunRecord()

    def write(self, event: str, **fields: Any) -> None:
        """Add one event; raises OSError when the disk does not take it, and then nothing counts."""
        if self._path:
            self.record.apply(journal.append(self._path, event, **fields))
        else:
            self.record.apply({"event": event, **fields})


class Listener:
    """Is called after an event is in the journal; a subclass overrides what concerns it."""

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        """An epoch was reported."""

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        """A trial ended."""

    def on_note(self, record: RunRecord, text: str) -> None:
        """Something that a person should know, one line."""
