"""A search in virtual time: workers, a searcher, a scheduler, and no training.

The searchers and schedulers are the real ones; only trials are simulated. Events are handled one
by one in the order of their virtual time, as Ray Tune's loop does.
"""

import heapq
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tests.benchmarks.surrogate import FloatArray


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A trial to start."""

    number: int
    params: dict[str, Any]


class Method(Protocol):
    """A searcher and a scheduler together."""

    def ask(self) -> Proposal | None:
        """The next trial; None when there is nothing left to try."""

    def report(self, number: int, report: dict[str, Any]) -> bool:
        """Take in a trial's epoch; whether the scheduler stops the trial here."""


class Objective(Protocol):
    """What trials would report."""

    def curve(self, params: dict[str, Any], rng: np.random.Generator) -> FloatArray: ...

    def seconds(self, params: dict[str, Any]) -> FloatArray: ...


@dataclass(frozen=True, kw_only=True)
class Told:
    """One epoch that ended, in the order of time."""

    seconds: float  # virtual, since the start
    worker_seconds: float  # virtual, all workers' time in epochs that have ended
    number: int  # of the trial
    epoch: int  # 1-based
    value: float
    finished: bool


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a simulated search did: each epoch, and the parameters of each trial."""

    told: list[Told]
    params: dict[int, dict[str, Any]]


def simulate(
    method: Method,
    objective: Objective,
    *,
    workers: int,
    budget_epochs: int,
    budget_seconds: float = 0.0,
    head_epochs: int,
    seed: int,
) -> Search:
    """Run until both budgets are spent, or nothing is left to try.

    A trial's noise is a function of (seed, trial number), so the n-th trials of two methods have
    the same luck.
    """
    waiting: list[tuple[float, int, int]] = []  # end of the epoch, order of its start, trial
    curves: dict[int, FloatArray] = {}
    durations: dict[int, FloatArray] = {}
    epochs: dict[int, int] = {}  # that ended, by trial
    params: dict[int, dict[str, Any]] = {}
    told: list[Told] = []
    num_starts, spent = 0, 0.0

    def start_epoch(number: int, now: float) -> None:
        nonlocal num_starts
        heapq.heappush(waiting, (now + durations[number][epochs[number]], num_starts, number))
        num_starts += 1

    def start_trial(now: float) -> None:
        proposal = method.ask()
        if proposal is None:
            return
        number = proposal.number
        params[number] = proposal.params
        curves[number] = objective.curve(proposal.params, np.random.default_rng([seed, number]))
        durations[number] = objective.seconds(proposal.params)
        epochs[number] = 0
        start_epoch(number, now)

    for _ in range(workers):
        start_trial(0.0)
    while waiting and (len(told) < budget_epochs or spent < budget_seconds):
        now, _, number = heapq.heappop(waiting)
        epochs[number] += 1
        epoch, finished = epochs[number], epochs[number] == len(curves[number])
        value = float(curves[number][epoch - 1])
        spent += float(durations[number][epoch - 1])
        told.append(
            Told(
                seconds=now,
                worker_seconds=spent,
                number=number,
                epoch=epoch,
                value=value,
                finished=finished,
            )
        )
        if method.report(number, epoch_report(epoch, value, head_epochs, finished)) or finished:
            start_trial(now)
        else:
            start_epoch(number, now)
    return Search(told=told, params=params)


def epoch_report(epoch: int, value: float, head_epochs: int, finished: bool) -> dict[str, Any]:
    """What the project's trials report, as far as searchers and schedulers read it."""
    clock = {"phase2_epoch": epoch - head_epochs} if epoch > head_epochs else {}
    return {
        "training_iteration": epoch,  # what Tune adds
        "epoch": epoch,
        "val_macro_f1": value,
        "diverged": False,
        "finished": finished,
        **clock,
    }


def best_by_last_value(told: list[Told]) -> list[Told]:
    """After each epoch, what Ray's `get_best_result` hands over: the best of all last epochs."""
    last: dict[int, Told] = {}
    best = []
    for each in told:
        last[each.number] = each
        best.append(max(last.values(), key=lambda one: one.value))
    return best


def best_by_best_epoch(told: list[Told]) -> list[Told]:
    """After each epoch, what best.json names: the best epoch of all."""
    best = [told[0]] if told else []
    for each in told[1:]:
        best.append(each if each.value > best[-1].value else best[-1])
    return best
