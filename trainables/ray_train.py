"""One trial as a Ray Train run inside a Tune trial.

Tune starts `tune_trial` (the driver, which costs no CPU), the driver starts a `TorchTrainer`, its
workers run the two-phase loop. Reports go worker -> Train controller -> queue -> driver -> Tune.

Driver and controller are processes of their own that only pass reports on, so what only a worker
needs is imported by the worker alone: it saves each of the other two several seconds.

The queue and the thread are there for a reason: Ray's own TuneReportCallback deadlocks when a
trial ends while its last report still waits to be read.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import train, tune
from ray.train import UserCallback
from ray.train.torch import TorchTrainer, get_device
from ray.util.queue import Empty, Queue

from trainables.config import FineTuneConfig

if TYPE_CHECKING:
    from trainables.checkpoints import Checkpoint
    from trainables.two_phase import TrialData

POLL_SECONDS = 0.5  # how often the driver looks whether a silent run has ended
# Ray Train gives up on a run whose controller cannot start its workers so often (default: never).
CONTROLLER_FAILURE_LIMIT = 20
# The best ones of a running trial. Up to three epochs may be saved before Tune hears of the first
# (one in the driver, one in the queue, one in the controller), so the best that Tune knows of is
# among the best four.
KEPT_CHECKPOINTS = 4


@dataclass(frozen=True, kw_only=True)
class TrialResources:
    """What one trial occupies: `workers` data-parallel workers with this much each."""

    workers: int = 1
    cpus: float = 1.0  # cores a worker
    gpus: float = 0.0  # GPUs a worker; a fraction shares one GPU among trials


@dataclass(frozen=True, kw_only=True)
class SharedTrialInputs:
    """What all trials of a run have in common; the pictures stay in the object store."""

    data: ray.ObjectRef  # of a TrialData
    trials_dir: str  # a path or URI that every node can write
    resources: TrialResources
    worker_restarts: int = 1  # times that Ray Train restarts a trial's workers by itself


def trial_folder(number: int) -> str:
    """The name of a trial's folder under `trials/`, which is its Ray Train run's name as well."""
    return f"trial_{number:04d}"


def tune_trial(config: dict[str, Any], shared: SharedTrialInputs) -> None:
    """The Tune function trainable: runs trial `config["number"]` and relays its reports.

    The Ray Train run is named after the trial, so a driver that is started again (by Tune, or by
    `--resume`) goes on from the run's last checkpoint.
    """
    reports = Queue(maxsize=1, actor_options={"num_cpus": 0})  # one ahead: the trial waits for us
    trainer = TorchTrainer(
        train_worker,
        train_loop_config={"config": config["config"], "data": shared.data},
        scaling_config=scaling(shared.resources),
        run_config=train.RunConfig(
            name=trial_folder(config["number"]),
            storage_path=shared.trials_dir,
            callbacks=[PutReports(reports)],
            failure_config=train.FailureConfig(
                max_failures=shared.worker_restarts,
                controller_failure_limit=CONTROLLER_FAILURE_LIMIT,
            ),
            # Ray keeps the latest as well, and refuses to resume where one that it kept is gone,
            # so the run's recorder drops checkpoints of ended trials only.
            checkpoint_config=train.CheckpointConfig(
                num_to_keep=KEPT_CHECKPOINTS, checkpoint_score_attribute="val_macro_f1"
            ),
        ),
    )
    relay(trainer, reports)


def relay(trainer: TorchTrainer, reports: Queue) -> None:
    """Run `trainer.fit()` beside us and hand each report to Tune; raises what the run raised."""
    failures: list[BaseException] = []

    def fit() -> None:
        try:
            trainer.fit()
        except BaseException as error:
            failures.append(error)

    run = threading.Thread(target=fit, daemon=True)
    run.start()
    while True:
        was_running = run.is_alive()  # asked before the queue, so that no last report is lost
        try:
            metrics = reports.get(timeout=POLL_SECONDS)
        except Empty:
            if not was_running:
                break
            continue
        tune.report(metrics)  # raises SystemExit here when the scheduler stops the trial
    if failures:
        raise failures[0]


class PutReports(UserCallback):
    """Puts rank 0's metrics on a queue, once their checkpoint is stored."""

    def __init__(self, reports: Queue) -> None:
        self.reports = reports

    def after_report(
        self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: train.Checkpoint | None
    ) -> None:
        self.reports.put(metrics[0])


def scaling(resources: TrialResources) -> train.ScalingConfig:
    """Ray Train's form of the resources; a worker on the CPU asks for no GPU at all."""
    per_worker = {"CPU": resources.cpus}
    if resources.gpus:
        per_worker["GPU"] = resources.gpus
    return train.ScalingConfig(
        num_workers=resources.workers,
        use_gpu=resources.gpus > 0,
        resources_per_worker=per_worker,
    )


def train_worker(loop_config: dict[str, Any]) -> None:
    """What each Ray Train worker runs: the two-phase loop, from the last checkpoint if any."""
    from trainables.parallel import WorkerGroup
    from trainables.two_phase import fine_tune

    context = train.get_context()
    workers = WorkerGroup(rank=context.get_world_rank(), size=context.get_world_size())
    config = FineTuneConfig.from_dict(loop_config["config"])
    data: TrialData = ray.get(loop_config["data"])

    def report(metrics: dict[str, Any], make_checkpoint: Callable[[], Checkpoint] | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = None
            if workers.rank == 0 and make_checkpoint:
                make_checkpoint().save(Path(folder))
                checkpoint = train.Checkpoint.from_directory(folder)
            train.report(
                metrics,
                checkpoint=checkpoint,
                checkpoint_dir_name=f"checkpoint_{metrics['epoch']:04d}",
            )

    def run(resume_from: Path | None) -> None:
        found = get_device()
        device = found[0] if isinstance(found, list) else found
        fine_tune(config, data, report, device=device, workers=workers, resume_from=resume_from)

    latest = train.get_checkpoint()
    if latest is None:
        run(None)
    else:
        with latest.as_directory() as folder:
            run(Path(folder))
