"""The end of a session before its last trial: the time is up, the disk is full, Ctrl-C.

A trial that was running then is neither pruned nor finished. It stays "running" in the record, and
`--resume` goes on with it from its last epoch.

`without_reserve` is how much of `--max-hours` the search may take, so that confirm and report still
fit in it.
"""

from collections.abc import Callable
from typing import Any

from ray.tune import Stopper

from search.records.record import RunRecord
from trainables.command import Stopped

START_SECONDS = 20.0  # from a trial's start to its first epoch (docs/performance.md)
REPORT_SECONDS = 120.0  # of the report on the winner
LARGEST_RESERVE = 0.5  # share of the hours: a search that never ran has nothing to confirm


class SessionStopper(Stopper):
    """Ends Tune's run once there is a reason.

    Args:
        find_reason: called about ten times a second; returns a reason to end the session, or None.

    Attributes:
        reason: why the session ends; None while it goes on.
        is_fault: whether the reason is something that went wrong.
    """

    def __init__(self, find_reason: Callable[[], str | None] = lambda: None) -> None:
        self._find_reason = find_reason
        self._checks: list[Callable[[], None]] = []
        self.reason: str | None = None
        self.is_fault = False
        self._signum: int | None = None

    def add_check(self, check: Callable[[], None]) -> None:
        """Call `check` as often as Tune asks whether to go on; it may call `stop`."""
        self._checks.append(check)

    def stop(self, reason: str, *, is_fault: bool = False, signum: int | None = None) -> None:
        """End the session, because of a signal where one is given; the first reason stands."""
        if self.reason is None:
            self.reason, self.is_fault, self._signum = reason, is_fault, signum

    def raise_if_stopped_by_the_user(self) -> None:
        """To be called when all is written down; raises Stopped where a signal was the reason."""
        if self.reason is not None and self._signum is not None:
            raise Stopped(self.reason, signum=self._signum)

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        for check in self._checks:
            check()
        found = self._find_reason()
        if found:
            self.stop(found)
        return self.reason is not None


def search_seconds(
    record: RunRecord, *, max_hours: float, reserved_trials: int, concurrent: int
) -> float:
    """Seconds of `max_hours` that are the search's.

    The rest is kept for the trials of `search.confirm`, each as long as a whole trial took so far,
    and for the report. Before the first trial has finished nothing is known and nothing kept.
    """
    total = max_hours * 3600
    whole = [
        START_SECONDS + sum(report["epoch_seconds"] for report in trial.reports)
        for trial in record.trials.values()
        if trial.status == "finished"
    ]
    if not whole:
        return total
    return without_reserve(
        total, sum(whole) / len(whole), reserved_trials=reserved_trials, concurrent=concurrent
    )


def without_reserve(
    total_seconds: float, trial_seconds: float, *, reserved_trials: int, concurrent: int
) -> float:
    """What is left of a time when whole trials of that length, and a report, are to follow."""
    if not reserved_trials:
        return total_seconds
    rounds = -(-reserved_trials // concurrent)  # rounded up: the last round is as long as the rest
    reserve = rounds * trial_seconds + REPORT_SECONDS
    return total_seconds - min(reserve, LARGEST_RESERVE * total_seconds)
