"""How many epochs a search still has to train, and how long they take, from what it has seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from search.records.record import RunRecord, TrialRecord

RECENT_EPOCHS = 10  # of a phase: others may use the machine too, and the first epochs share nothing


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a search.

    Attributes:
        epochs: expected, of the trials that run and of those to come.
        seconds: for these, at the pace of this session.
        seen_epochs: of this session, which gave the pace.
        seen_ends: trials that came to an end by training, which gave the epochs.
    """

    epochs: float
    seconds: float
    seen_epochs: int
    seen_ends: int


class Pace:
    """How busy a session keeps its slots; called with each epoch as it is reported."""

    def __init__(self) -> None:
        self._recent: dict[int, list[float]] = {1: [], 2: []}  # seconds of epochs, by phase
        self._first: float | None = None  # when the first epoch of this session began
        self._trained_seconds = 0.0
        self.num_epochs = 0
        self.slots = 0  # the most trials that ran at a time

    def take_in(self, report: dict[str, Any], *, running: int, now: float) -> None:
        """One epoch; `now` in seconds, `running` trials at this moment, its own among them."""
        seconds = report["epoch_seconds"]
        if self._first is None:
            self._first = now - seconds
        self._recent[report["phase"]] = [*self._recent[report["phase"]], seconds][-RECENT_EPOCHS:]
        self._trained_seconds += seconds
        self.num_epochs += 1
        self.slots = max(self.slots, running)

    def left(self, record: RunRecord, num_trials: int, *, now: float) -> Left | None:
        """What is left of `num_trials`; None while there is nothing to tell it from.

        An estimate needs epochs of both phases in this session and a trial that came to its end,
        by ASHA or by its last epoch.
        """
        trials = list(record.trials.values())
        ends = sum(trial.status in ("finished", "stopped") for trial in trials)
        if self._first is None or not ends or not all(self._recent.values()):
            return None
        goes_on = survival(trials)
        lengths = [num_epochs(trial) for trial in trials]
        per_phase = {phase: fmean(seconds) for phase, seconds in self._recent.items()}

        def cost(done: int, head: int, total: int) -> tuple[float, float]:
            expected = expected_epochs(goes_on, done, total)
            seconds = sum(
                weight * per_phase[1 if done + 1 + i <= head else 2]
                for i, weight in enumerate(expected)
            )
            return sum(expected), seconds

        running = [
            cost(len(trial.reports), trial.config["head_epochs"], num_epochs(trial))
            for trial in trials
            if not trial.ended
        ]
        heads = fmean(trial.config["head_epochs"] for trial in trials)
        fresh = cost(0, round(heads), round(fmean(lengths)))
        to_come = max(num_trials - len(trials), 0)
        work = sum(seconds for _, seconds in running) + to_come * fresh[1]
        elapsed = max(now - self._first, 1e-9)
        busy = min(self._trained_seconds / elapsed, float(self.slots))  # slots' worth of training
        # The last ones do not share their work with idle slots.
        longest = max([seconds for _, seconds in running], default=0.0)
        return Left(
            epochs=sum(epochs for epochs, _ in running) + to_come * fresh[0],
            seconds=max(work / busy, longest),
            seen_epochs=self.num_epochs,
            seen_ends=ends,
        )


def num_epochs(trial: TrialRecord) -> int:
    """Of a trial that runs to its end."""
    return int(trial.config["head_epochs"] + trial.config["finetune_epochs"])


def survival(trials: Iterable[TrialRecord]) -> list[float]:
    """The share of trials that went on past epoch 1, 2, ... before their last one.

    Of a trial that still runs it is known that it went on past its epochs so far, so that the
    early ends of the weak do not make all trials look short (Kaplan and Meier, 1958).
    """
    at_risk: list[int] = []
    ended: list[int] = []
    for trial in trials:
        seen = min(len(trial.reports), num_epochs(trial) - 1)
        grown = max(seen - len(at_risk), 0)
        at_risk += [0] * grown
        ended += [0] * grown
        for i in range(seen):
            at_risk[i] += 1
        if trial.ended and 0 < len(trial.reports) < num_epochs(trial):
            ended[seen - 1] += 1
    return [1 - gone / risk for gone, risk in zip(ended, at_risk, strict=True)]


def expected_epochs(goes_on: Sequence[float], done: int, total: int) -> list[float]:
    """The probability of each further epoch of a running trial that has done `done` of `total`.

    Where no trial has come yet, none is expected to be stopped.
    """
    chances, chance = [], 1.0
    for epoch in range(done + 1, total + 1):
        chances.append(chance)
        chance *= goes_on[epoch - 1] if epoch <= len(goes_on) else 1.0
    return chances
