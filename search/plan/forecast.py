"""How long a search takes, simulated many times; a pure function of its input.

What ASHA stops is not known beforehand, but how many it stops hardly depends on the curves.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from search.plan.costs import Demand, EpochCost, MeasuredCosts, epochs
from search.records.record import CLOCK, OBJECTIVE
from search.settings.settings import Settings
from search.tuning.scheduler import Rungs, StoppingRule
from search.tuning.stopping import without_reserve

NUM_REPLICATES = 100  # simulated searches
TAIL = 0.05  # share of them that lies below `low`, and share that lies above `high`
NOISE = 0.5  # of a value at a rung, in standard deviations of the trials' true worth

Stops = Callable[[int, int], bool]  # whether a trial (from 0) ends after so many phase-2 epochs


@dataclass(frozen=True, kw_only=True)
class Interval:
    """What is expected, between two bounds."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SimulatedSearch:
    """One search: seconds to its end, epochs trained, seconds at which each trial ended."""

    seconds: float
    epochs: int
    ends: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a search takes.

    Attributes:
        trial_seconds: the cheapest, the mean and the dearest configuration, run to its end.
        search_seconds, epochs: low, where each rung lets no more pass than it must; expected, with
            ASHA on noisy curves; high, where nothing is stopped.
        spent_seconds: of the search, as far as --max-hours lets it go on.
        ended: trials that end before the time is up that --max-hours leaves the search; low is
            the fewest.
    """

    trial_seconds: Interval
    search_seconds: Interval
    spent_seconds: Interval
    epochs: Interval
    ended: Interval


def forecast(
    draws: Sequence[Demand],
    measured: Mapping[str, MeasuredCosts],
    settings: Settings,
    *,
    num_first: int,
    num_trials: int,
    concurrent: int,
    seed: int = 0,
) -> Forecast:
    """Simulate the search, with configurations drawn anew each time.

    Args:
        draws: what the space draws at random, after the points that are asked first.
        measured: by "low", "expected" and "high".
        settings: of the search.
        num_first: so many of the draws are asked first, in their order.
        num_trials: as many as the space has configurations for.
        concurrent: trials at a time.
        seed: of the draws and the curves.
    """
    rng = np.random.default_rng(seed)
    trials = {
        level: [epochs(demand, parts, settings) for demand in draws]
        for level, parts in measured.items()
    }
    searches: dict[str, list[SimulatedSearch]] = {level: [] for level in measured}
    for _ in range(NUM_REPLICATES):
        order = _order(len(draws), num_first, num_trials, rng)
        rules: dict[str, Stops] = {
            "low": halving(num_trials, settings),
            "expected": asha(num_trials, settings, rng),
            "high": lambda number, epoch: False,
        }
        for level, stops in rules.items():
            search = simulate(
                [trials[level][i] for i in order],
                [draws[i].head_epochs for i in order],
                concurrent=concurrent,
                start_seconds=measured[level].start,
                stops=stops,
            )
            searches[level].append(search)
    whole = {
        level: [parts.start + sum(epoch.alone for epoch in whole) for whole in trials[level]]
        for level, parts in measured.items()
    }
    trial_seconds = Interval(
        low=min(whole["low"]), expected=fmean(whole["expected"]), high=max(whole["high"])
    )
    limit = math.inf
    if settings.max_hours:
        limit = without_reserve(
            settings.max_hours * 3600,
            trial_seconds.expected,
            reserved_trials=settings.reserve_trials,
            concurrent=concurrent,
        )
    slowest_first = {
        "low": searches["high"],
        "expected": searches["expected"],
        "high": searches["low"],
    }
    return Forecast(
        trial_seconds=trial_seconds,
        search_seconds=_interval(searches, lambda search: search.seconds),
        spent_seconds=_interval(searches, lambda search: min(search.seconds, limit)),
        epochs=_interval(searches, lambda search: search.epochs),
        ended=_interval(slowest_first, lambda search: sum(end <= limit for end in search.ends)),
    )


def simulate(
    trials: Sequence[Sequence[EpochCost]],
    head_epochs: Sequence[int],
    *,
    concurrent: int,
    start_seconds: float,
    stops: Stops,
) -> SimulatedSearch:
    """One search: trials (their epochs) in turn, so many at a time, some of them stopped.

    A slot starts once and then takes one trial after the other. What epochs share costs the first
    that needs it. `stops` is asked in the order in which the epochs end, as ASHA is.
    """
    waiting = deque(range(len(trials)))
    running: list[tuple[float, int, int]] = []  # (when its epoch ends, trial, the epoch)
    ends: list[float] = []
    num_epochs = 0
    computed: set[Hashable] = set()

    def run(now: float, number: int, epoch: int) -> None:
        needs = trials[number][epoch - 1]
        seconds = needs.own + sum(s for what, s in needs.shared.items() if what not in computed)
        computed.update(needs.shared)
        heapq.heappush(running, (now + seconds, number, epoch))

    def start(now: float) -> None:
        if waiting:
            run(now, waiting.popleft(), 1)

    for _ in range(concurrent):
        start(start_seconds)
    while running:
        now, number, epoch = heapq.heappop(running)
        num_epochs += 1
        clock = epoch - head_epochs[number]
        if epoch == len(trials[number]) or (clock > 0 and stops(number, clock)):
            ends.append(now)
            start(now)
        else:
            run(now, number, epoch + 1)
    return SimulatedSearch(seconds=max(ends), epochs=num_epochs, ends=tuple(ends))


def halving(num_trials: int, settings: Settings) -> Stops:
    """Of the trials that come to a rung 1 in eta passes, rounded up; the others stop there."""
    eta = settings.reduction_factor
    passing = {
        rung: math.ceil(num_trials / eta ** (i + 1))
        for i, rung in enumerate(Rungs.of(settings).positions)
    }
    return lambda number, epoch: number >= passing.get(epoch, num_trials)


def asha(num_trials: int, settings: Settings, rng: np.random.Generator) -> Stops:
    """The decisions of ASHA on trials whose values at all rungs agree, but for noise."""
    rungs, seed = Rungs.of(settings), int(rng.integers(2**31))
    rule = StoppingRule(rungs, spared_share=settings.late_bloomers, seed=seed)
    worth = rng.normal(size=num_trials)

    def stops(number: int, epoch: int) -> bool:
        if epoch not in rungs.positions:
            return False
        value = worth[number] + NOISE * rng.normal()
        return rule.stops(number, {CLOCK: epoch, OBJECTIVE: float(value)})

    return stops


def _order(num_draws: int, num_first: int, num_trials: int, rng: np.random.Generator) -> list[int]:
    """Which draws a search trains: those asked first, then any of the others."""
    first = list(range(min(num_first, num_trials)))
    others = rng.integers(num_first, num_draws, size=num_trials - len(first))
    return first + others.tolist()


def _interval(
    searches: Mapping[str, Sequence[SimulatedSearch]], figure: Callable[[SimulatedSearch], float]
) -> Interval:
    return Interval(
        low=float(np.quantile([figure(search) for search in searches["low"]], TAIL)),
        expected=float(np.mean([figure(search) for search in searches["expected"]])),
        high=float(np.quantile([figure(search) for search in searches["high"]], 1 - TAIL)),
    )
