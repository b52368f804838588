"""What happened to each trial: a fold over the journal's events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from search.names import OBJECTIVE
from trainables import journal

Status = Literal["running", "finished", "stopped", "failed", "diverged"]


@dataclass(kw_only=True)
class TrialRecord:
    """One trial as far as it got."""

    number: int
    config: dict[str, Any]
    params: dict[str, Any] = field(default_factory=dict)  # what Optuna chose of it
    status: Status = "running"
    reports: list[dict[str, Any]] = field(default_factory=list)  # one an epoch, in order
    stopped_by: str | None = None  # "asha" or "budget"
    rung: int | None = None  # phase-2 epochs at the rung that stopped it
    cause: str | None = None  # of a failure, one line

    @property
    def best(self) -> dict[str, Any] | None:
        """The report of its best epoch."""
        return max(self.reports, key=lambda report: report[OBJECTIVE], default=None)

    @property
    def ended(self) -> bool:
        return self.status != "running"


class RunRecord:
    """All trials of a run; `apply` takes one journal event after the other."""

    def __init__(self) -> None:
        self.trials: dict[int, TrialRecord] = {}
        # (trial number, report) in the order of arrival, as ASHA saw them.
        self.reports: list[tuple[int, dict[str, Any]]] = []
        self.elapsed_seconds = 0.0  # of the sessions that ended in order

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
    def best_trial(self) -> TrialRecord | None:
        """The trial whose best epoch is the best of all; the earlier one of two equals."""
        tried = [trial for trial in self.trials.values() if trial.reports]
        return max(tried, key=lambda trial: trial.best[OBJECTIVE], default=None)  # type: ignore[index]

    def apply(self, event: dict[str, Any]) -> None:
        """Take in one event; events that are about no trial are passed over."""
        kind = event["event"]
        if kind == "started":
            trial = TrialRecord(
                number=event["trial"], config=event["config"], params=event["params"]
            )
            self.trials.setdefault(trial.number, trial)
        elif kind == "reported":
            self.trials[event["trial"]].reports.append(event["report"])
            self.reports.append((event["trial"], event["report"]))
        elif kind in ("finished", "stopped", "failed", "diverged"):
            trial = self.trials[event["trial"]]
            trial.status = kind
            trial.stopped_by = event.get("by")
            trial.rung = event.get("rung")
            trial.cause = event.get("cause")
        elif kind == "session_ended":
            self.elapsed_seconds += event["seconds"]

    def knows(self, number: int, epoch: int) -> bool:
        """Whether an epoch of a trial was reported already (a resumed trial tells it again)."""
        trial = self.trials.get(number)
        return trial is not None and any(report["epoch"] == epoch for report in trial.reports)
