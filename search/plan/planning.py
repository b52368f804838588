"""From a run's settings to its plan: draw the space, probe its two ends, forecast."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from search.cluster.capacity import concurrent_trials
from search.plan.costs import MeasuredCosts, combine, total_flops
from search.plan.flops import Demand, demand
from search.plan.forecast import Forecast, forecast
from search.plan.probe import Probed, Task, probe_side_by_side
from search.settings.checks import check_gpus_here, choose_precision, worker_threads
from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings
from spaces.registry import Space, load_space, quiet_study
from spaces.warm_start import first_asked
from trainables.config import FineTuneConfig

NUM_DRAWS = 200  # of the space, besides the points that are asked first
# What a slot takes until its first trial, in starts of a Python that imports PyTorch: its Tune
# actor, its controller and its worker start one after the other. Seen of two slots at a time on two
# busy cores: 37 to 46 s, when such a start took 18 to 26 s.
STARTS = {"low": 1.25, "expected": 2.0, "high": 3.5}
CHOOSE: dict[str, Callable[[list[float]], float]] = {
    "low": min,
    "expected": statistics.fmean,
    "high": max,
}


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What was measured, what follows from it, and what it stands on.

    Attributes:
        settings: of the search.
        task: what was measured.
        num_probes: processes that measured side by side, for `probe_seconds` in all.
        measured: by "low", "expected" and "high".
        forecast: of the search.
        num_trials: fewer than asked for where the space has no more configurations.
        concurrent: trials at a time.
    """

    settings: Settings
    task: Task
    num_probes: int
    probe_seconds: float
    measured: dict[str, MeasuredCosts]
    forecast: Forecast
    num_trials: int
    concurrent: int

    @property
    def gpus(self) -> float:
        """GPUs that the search holds."""
        per_trial = self.settings.gpus_per_trial * self.settings.workers_per_trial
        return per_trial * min(self.concurrent, self.num_trials)


def make_plan(settings: Settings) -> SearchPlan:
    """Probe this machine and forecast.

    Raises:
        UserError: a GPU is asked for that this machine lacks, or whose memory is too small.
    """
    check_gpus_here(settings)
    if settings.gpus_per_trial == GPUS_AUTO:  # what shares a GPU is not known before the search
        settings = replace(settings, gpus_per_trial=1.0)
    base = settings.base_config(precision=choose_precision(settings))
    configs, num_first = draw(load_space(settings.space), base, max(NUM_DRAWS, settings.num_trials))
    num_trials = min(settings.num_trials, len(set(configs)))
    demands = [demand(config) for config in configs]
    task = probe_task(configs, demands, settings)
    here = {"CPU": float(os.cpu_count() or 1), "GPU": float(torch.cuda.device_count())}
    fits_here = concurrent_trials(replace(settings, max_concurrent=0), [here])
    concurrent = settings.max_concurrent or fits_here
    num_probes = min(concurrent, fits_here, num_trials)
    started = time.monotonic()
    probed = probe_side_by_side(task, num_probes)
    measured = {level: measured_at(level, probed) for level in CHOOSE}
    return SearchPlan(
        settings=settings,
        task=task,
        num_probes=num_probes,
        probe_seconds=time.monotonic() - started,
        measured=measured,
        forecast=forecast(
            demands,
            measured,
            settings,
            num_first=num_first,
            num_trials=num_trials,
            concurrent=concurrent,
        ),
        num_trials=num_trials,
        concurrent=concurrent,
    )


def dearest(settings: Settings) -> Task:
    """What to measure of a space's dearest configuration."""
    base = settings.base_config(precision=choose_precision(settings))
    configs, _ = draw(load_space(settings.space), base, NUM_DRAWS)
    return probe_task(configs, [demand(config) for config in configs], settings)


def probe_task(configs: list[FineTuneConfig], demands: list[Demand], settings: Settings) -> Task:
    """What to measure: the cheapest and the dearest of the configurations, as a trial runs them."""
    by_cost = sorted(range(len(configs)), key=lambda i: total_flops(demands[i], settings))
    return Task(
        cheap=configs[by_cost[0]],
        dear=configs[by_cost[-1]],
        policies=tuple(sorted({config.augmentation for config in configs})),
        base_px=settings.data_spec.base_px,
        device="cuda" if settings.gpus_per_trial else "cpu",
        num_threads=worker_threads(settings),
        workers=settings.workers_per_trial,
    )


def draw(space: Space, base: FineTuneConfig, count: int) -> tuple[list[FineTuneConfig], int]:
    """The points that a search asks first, `count` others at random, and how many are first."""
    first = first_asked(space, base)
    study = quiet_study(seed=0)
    for point in first:
        study.enqueue_trial(point)
    return [space(study.ask(), base) for _ in range(len(first) + count)], len(first)


def measured_at(level: str, probed: list[Probed]) -> MeasuredCosts:
    """All processes' and steps' measurements as one: the least, the mean or the most of them."""
    choose = CHOOSE[level]
    return MeasuredCosts(
        cheap=combine([parts for probe in probed for parts in probe.cheap], choose),
        dear=combine([parts for probe in probed for parts in probe.dear], choose),
        views={
            policy: choose([probe.views[policy] for probe in probed]) for policy in probed[0].views
        },
        start=STARTS[level] * choose([probe.start for probe in probed]),
    )
