"""Lets the number of trials at a time follow the cluster as nodes join and leave."""

import time
from collections.abc import Callable
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.search import ConcurrencyLimiter

from search.cluster.capacity import concurrent_trials, living_nodes, shape, slots
from search.scouts import Scouts
from search.settings.settings import Settings

REFRESH_SECONDS = 2.0  # how often the cluster is looked at: about 1 ms each time


class FollowCluster(Callback):
    """Tune's callback that sets its limit of trials to what the cluster holds now.

    A trial whose node has left waits for room; the next one that ends leaves its room to it.

    Args:
        limiter: of the searcher.
        settings: what a trial occupies, and `max_concurrent`.
        num_trials: of the session, for which more nodes would be of use.
        note: is told when the number changes.
        scouts: stand for the trials that could run at the same time and have no slot; None for a
            cluster that cannot grow.
    """

    def __init__(
        self,
        limiter: ConcurrencyLimiter,
        settings: Settings,
        *,
        num_trials: int,
        note: Callable[[str], None],
        scouts: Scouts | None,
    ) -> None:
        self._limiter, self._settings = limiter, settings
        self._num_trials, self._note = num_trials, note
        self._scouts = scouts
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
        if self._scouts:
            left = self._num_trials - len(trials) + len(self._limiter.live_trials)
            wanted = min(left, self._settings.max_concurrent or left)
            held = slots(self._settings, nodes)
            # Where a slot is free or starts, scouts would take the room that it needs.
            all_busy = sum(map(is_busy, trials)) >= min(held, wanted)
            self._scouts.keep(wanted - held if all_busy else 0)

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        if self._scouts:
            self._scouts.keep(0)


def is_busy(trial: Trial) -> bool:
    """Whether a trial runs and has reported: all that it needs has its room."""
    return trial.status == Trial.RUNNING and bool(trial.last_result)
