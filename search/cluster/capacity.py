"""How many trials the nodes of a cluster hold at a time, also while nodes join and leave.

Ray's autoscaler starts nodes for tasks that are pending. Trials are never pending in the cluster:
the sampler is asked for each only when there is a slot for it, so that it uses all results so far.
Placeholder tasks are pending in their place: each asks for the resources of one worker of a trial,
and ends at once when it is scheduled. They end with the process that sent them, unlike a request to
the autoscaler (`request_resources`), which would keep nodes running after a search was killed.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ray
from ray import ObjectRef
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.search import ConcurrencyLimiter

from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings

ROUNDING = 1e-9  # ten tenths of a GPU are one
MOST = 128  # pending at a time: enough for an autoscaler to go to the largest size it may
REFRESH_SECONDS = 2.0  # how often the cluster is looked at: about 1 ms each time


def living_nodes() -> list[dict[str, float]]:
    """What each living node of the connected cluster has: "CPU", "GPU", ..."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def worker_resources(settings: Settings) -> dict[str, float]:
    """What one worker of a trial occupies; a share that is still to be measured is a whole GPU."""
    gpus = 1.0 if settings.gpus_per_trial == GPUS_AUTO else settings.gpus_per_trial
    return {"CPU": settings.cpus_per_trial} | ({"GPU": gpus} if gpus else {})


def slots(settings: Settings, nodes: Iterable[Mapping[str, float]]) -> int:
    """How many trials the nodes hold, 0 included: a worker lies on one node, a trial's workers may
    lie on several."""
    per_worker = worker_resources(settings)
    workers = sum(
        min(int(node.get(name, 0) / count + ROUNDING) for name, count in per_worker.items())
        for node in nodes
    )
    return workers // settings.workers_per_trial


def concurrent_trials(settings: Settings, nodes: Iterable[Mapping[str, float]]) -> int:
    """How many trials run at a time; at least one, which may have to wait for a node."""
    held = slots(settings, nodes)
    return max(1, min(held, settings.max_concurrent) if settings.max_concurrent else held)


def shape(nodes: list[dict[str, float]]) -> str:
    """Such as "2 nodes, 12 cores, 1 GPU"."""
    counts = [
        (len(nodes), "node"),
        (sum(node.get("CPU", 0) for node in nodes), "core"),
        (sum(node.get("GPU", 0) for node in nodes), "GPU"),
    ]
    return ", ".join(f"{count:g} {word}{'' if count == 1 else 's'}" for count, word in counts)


class Placeholders:
    """The pending placeholder tasks of this process, each for one worker of a trial."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: list[ObjectRef] = []

    def keep(self, trials: int) -> None:
        """Keep tasks pending for the workers of so many trials; those that ended are sent again."""
        if self._waiting:
            _, self._waiting = ray.wait(
                self._waiting, num_returns=len(self._waiting), timeout=0, fetch_local=False
            )
        wanted = min(max(trials, 0) * self._settings.workers_per_trial, MOST)
        for placeholder in self._waiting[wanted:]:
            ray.cancel(placeholder)
        del self._waiting[wanted:]
        self._waiting += [
            send_placeholder(self._settings) for _ in range(wanted - len(self._waiting))
        ]


def send_placeholder(settings: Settings) -> ObjectRef:
    """A task with the resources of one worker of a trial; it ends once it is scheduled."""
    per_worker = worker_resources(settings)
    sized = _placeholder.options(num_cpus=per_worker["CPU"], num_gpus=per_worker.get("GPU", 0))
    return sized.remote()


@ray.remote(max_retries=0)
def _placeholder() -> None:
    """Does nothing: that it was scheduled is what it shows."""


class ElasticConcurrency(Callback):
    """Tune's callback that sets its limit of trials to what the cluster holds now.

    A trial whose node has left waits for room; the next one that ends leaves its room to it.

    Args:
        limiter: of the searcher.
        settings: what a trial occupies, and `max_concurrent`.
        num_trials: of the session, for which more nodes would be of use.
        note: called with a line when the number changes.
        placeholders: for the trials that could run at the same time and have no slot; None for a
            cluster that cannot grow.
    """

    def __init__(
        self,
        limiter: ConcurrencyLimiter,
        settings: Settings,
        *,
        num_trials: int,
        note: Callable[[str], None],
        placeholders: Placeholders | None,
    ) -> None:
        self._limiter, self._settings = limiter, settings
        self._num_trials, self._note = num_trials, note
        self._placeholders = placeholders
        self._due = 0.0  # seconds on the monotonic clock

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REFRESH_SECONDS
        nodes = living_nodes()
        now, before = concurrent_trials(self._settings, nodes), self._limiter.max_concurrent
        if now != before:
            self._limiter.max_concurrent = now
            self._note(f"trials at a time: {now}, {before} before; the cluster: {shape(nodes)}")
        if self._placeholders:
            left = self._num_trials - len(trials) + len(self._limiter.live_trials)
            wanted = min(left, self._settings.max_concurrent or left)
            held = slots(self._settings, nodes)
            # Where a slot is free or starts, placeholders would take the resources that it needs.
            all_busy = sum(map(is_busy, trials)) >= min(held, wanted)
            self._placeholders.keep(wanted - held if all_busy else 0)

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        if self._placeholders:
            self._placeholders.keep(0)


def is_busy(trial: Trial) -> bool:
    """Whether a trial runs and has reported: all that it needs has its room."""
    return trial.status == Trial.RUNNING and bool(trial.last_result)
