"""A slot: the workers of one trial at a time, which stay for the next one.

A Ray Train run takes ten seconds and more to start: processes, PyTorch, the group of workers. A
slot pays that once and then trains one job after the other. It is a driver's own; whatever of it
dies is started again, and goes on with the job from its newest checkpoint.

A slot that waits also frees the placement groups of dead Ray Train controllers, whose cores and
GPUs nobody else would give back. Ray keeps a placement group until both its creator and its
creator's job have died, and a search outlives the controllers of its slots. Ray Train's own cleaner
knows only of groups whose workers have come up, and asks an interface that has no answer where the
machine runs two clusters.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray import PlacementGroupID, train
from ray._private.state import state
from ray.actor import ActorHandle
from ray.core.generated.gcs_pb2 import PlacementGroupTableData
from ray.exceptions import ActorDiedError
from ray.train import UserCallback
from ray.train.torch import TorchTrainer
from ray.util.placement_group import PlacementGroup, remove_placement_group

from trainables.training.reuse import Reuse
from trainables.workers.exchange import Exchange, Job
from trainables.workers.failures import describe

POLL_SECONDS = 1.0  # how often a driver that hears nothing looks after its workers
CLOSE_SECONDS = 5.0  # for workers to end by themselves; then they end with their driver
# Ray Train gives up on a run whose controller cannot start its workers so often (default: never).
CONTROLLER_FAILURE_LIMIT = 20
# How often a job is tried again after its workers, their node or the Train controller have died.
RESTARTS = 5


class TellFailures(UserCallback):
    """Tells the exchange why workers died."""

    def __init__(self, exchange: ActorHandle) -> None:
        self.exchange = exchange

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        failure = describe(next(iter(worker_exceptions.values())))
        self.exchange.workers_failed.remote(failure)


def work(loop: dict[str, Any]) -> None:
    """What each worker runs. Imported there alone: driver and controller need no PyTorch."""
    from trainables.workers import slot_worker

    slot_worker.work(loop["exchange"])


def free_orphans() -> None:
    """Remove the placement groups of this job whose creator, an actor, is dead."""
    job = ray.get_runtime_context().get_job_id()
    for line in state._connect_and_get_accessor().get_placement_group_table():
        group = PlacementGroupTableData.FromString(line)
        if is_orphan(group, job, actor_is_dead):
            remove_placement_group(PlacementGroup(PlacementGroupID(group.placement_group_id)))


def actor_is_dead(actor_id: str) -> bool:
    """Whether an actor (hex) that has once lived is dead; Ray forgets the oldest dead ones."""
    found = state.actor_table(actor_id)
    return not found or found["State"] == "DEAD"


def is_orphan(
    group: PlacementGroupTableData, job: str, actor_is_dead: Callable[[str], bool]
) -> bool:
    """Whether it is of this job (hex), was created by an actor that is dead, and is still there.

    What the job's own process creates, as Tune does, has no creating actor. The group's own
    `creator_actor_dead` is not asked: a group whose creator was dead has been seen to pass for one
    whose creator lives, when the two happened at about the same time.
    """
    return (
        group.creator_job_id.hex() == job
        and group.state != PlacementGroupTableData.REMOVED
        and bool(group.creator_actor_id.strip(b"\xff"))
        and actor_is_dead(group.creator_actor_id.hex())
    )


@dataclass(frozen=True, kw_only=True)
class SlotResources:
    """What one trial occupies: `workers` data-parallel workers with this much each."""

    workers: int = 1
    cpus: float = 1.0  # cores a worker
    gpus: float = 0.0  # GPUs a worker; a fraction shares one GPU among trials


class Slot:
    """Workers for one job after the other. Used by one process, and it ends with it."""

    def __init__(self, resources: SlotResources) -> None:
        self._resources = resources
        on_this_node = {ray._raylet.RAY_NODE_ID_KEY: ray.get_runtime_context().get_node_id()}
        actor = ray.remote(num_cpus=0, label_selector=on_this_node)(Exchange)
        self._exchange = actor.remote(RESTARTS)
        self._restarts = 0  # of the run, in the current job
        self._error: BaseException | None = None
        self._run = self._start()

    def assign(self, job: Job) -> None:
        """Train this next, instead of what is trained now."""
        self._restarts = 0
        ray.get(self._exchange.assign.remote(job))

    def next_report(self) -> dict[str, Any]:
        """The next report of the job that was assigned; asking for it lets the workers go on.

        {"failure": ...} is the last one of a job whose workers died too often.

        Raises:
            Exception: what ended the Ray Train run, again and again.
        """
        while (report := ray.get(self._exchange.next_report.remote(POLL_SECONDS))) is None:
            free_orphans()
            if not self._run.is_alive():
                self._restarts += 1
                if self._restarts > RESTARTS and self._error:
                    raise self._error
                self._run = self._start()
        return report

    def close(self) -> None:
        """Let the workers end, for a while."""
        with contextlib.suppress(ActorDiedError):  # then they end all the same
            ray.get(self._exchange.close.remote())
        self._run.join(CLOSE_SECONDS)

    def _start(self) -> threading.Thread:
        run = threading.Thread(target=self._fit, daemon=True)
        run.start()
        return run

    def _fit(self) -> None:
        """A Ray Train run, from beginning to end."""
        try:
            # It stores nothing: checkpoints go to the job's folder, reports to the exchange.
            with tempfile.TemporaryDirectory() as scratch:
                TorchTrainer(
                    work,
                    train_loop_config={"exchange": self._exchange},
                    scaling_config=scaling(self._resources),
                    run_config=train.RunConfig(
                        name="slot",
                        storage_path=scratch,
                        callbacks=[TellFailures(self._exchange)],
                        failure_config=train.FailureConfig(
                            max_failures=-1,  # the exchange counts, by job
                            controller_failure_limit=CONTROLLER_FAILURE_LIMIT,
                        ),
                    ),
                ).fit()
        except BaseException as error:
            self._error = error


def scaling(resources: SlotResources) -> train.ScalingConfig:
    """Ray Train's form of the resources; a worker on the CPU asks for no GPU at all."""
    per_worker = {"CPU": resources.cpus}
    if resources.gpus:
        per_worker["GPU"] = resources.gpus
    return train.ScalingConfig(
        num_workers=resources.workers,
        use_gpu=resources.gpus > 0,
        resources_per_worker=per_worker,
    )


@dataclass(frozen=True, kw_only=True)
class SharedTrialInputs:
    """The pictures, which stay in the object store, and where and on what trials run."""

    datasets: dict[int, Any]  # Ray's reference to a TrialData, by the seed of a configuration
    trials_dir: str  # a path that every node can write, or a URI in a store
    resources: SlotResources
    reuse: Reuse
    # By what configurations call their weights, a file in their place: a path or a URI.
    stand_ins: dict[str, str] = field(default_factory=dict)
