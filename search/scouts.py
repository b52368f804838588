"""Tasks of the size of a trial's worker that wait for room, and end at once where they find it.

An autoscaler starts nodes for what waits. Trials do not wait in the cluster: each is asked of the
sampler when there is a slot for it, with all that is known by then. Scouts wait in their place.
They end with the process that sent them, unlike a request to Ray's autoscaler, which would keep
nodes running after a search that was killed.
"""

import ray
from ray import ObjectRef

from search.cluster.capacity import worker_resources
from search.settings.settings import Settings

MOST = 128  # that wait at a time: enough for an autoscaler to go to the largest size it may


class Scouts:
    """The scouts of one process, for workers of the settings' size."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: list[ObjectRef] = []

    def keep(self, trials: int) -> None:
        """Let the workers of so many trials wait; those that found room are sent again."""
        if self._waiting:
            _, self._waiting = ray.wait(
                self._waiting, num_returns=len(self._waiting), timeout=0, fetch_local=False
            )
        wanted = min(max(trials, 0) * self._settings.workers_per_trial, MOST)
        for scout in self._waiting[wanted:]:
            ray.cancel(scout)
        del self._waiting[wanted:]
        self._waiting += [send_scout(self._settings) for _ in range(wanted - len(self._waiting))]


def send_scout(settings: Settings) -> ObjectRef:
    """One scout, for one worker of a trial; its reference is ready once it has found room."""
    per_worker = worker_resources(settings)
    sized = _scout.options(num_cpus=per_worker["CPU"], num_gpus=per_worker.get("GPU", 0))
    return sized.remote()


@ray.remote(max_retries=0)
def _scout() -> None:
    """To be scheduled is all that a scout does."""
