"""What the workers of a slot do: one job after the other, and the driver is told of each epoch."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import ray
from ray import ObjectRef, train
from ray.actor import ActorHandle
from ray.exceptions import ActorDiedError
from ray.train.torch import get_device

from trainables.config import FineTuneConfig
from trainables.models.checkpoint_folders import (
    TrialFolder,
    drop_old,
    fetched_file,
    folder_name,
    newest_readable,
    open_trial_folder,
    store,
)
from trainables.models.checkpoints import Checkpoint
from trainables.training.epoch_report import EpochReport
from trainables.training.parallel import WorkerGroup
from trainables.two_phase import fine_tune
from trainables.workers.exchange import Job
from trainables.workers.failures import describe, is_transient

NO_JOB = 0  # the answer of an exchange that is closed


class JobOverError(Exception):
    """The driver has no use for more of this job."""


def work(exchange: ActorHandle) -> None:
    """Train jobs until the exchange is closed or dead, in the process of one Ray Train worker.

    A worker that was started in another's place takes the same job again and goes on from its
    newest checkpoint. A fault that would come back is told instead of tried again; with several
    workers it is raised all the same, since the others wait for this one.
    """
    context, device = train.get_context(), _device()
    workers = WorkerGroup(rank=context.get_world_rank(), size=context.get_world_size())
    number = 0
    while True:
        found = ask(exchange.take.remote(number), NO_JOB) if workers.rank == 0 else NO_JOB
        if not (number := workers.share(found, device)):
            return
        try:
            train_job(ray.get(exchange.job.remote(number)), number, exchange, workers)
        except JobOverError:
            pass
        except Exception as error:
            if workers.size > 1 or is_transient(error):
                raise
            ask(exchange.tell.remote(number, {"failure": describe(error)}), False)
            raise  # the next job gets a fresh process
        gc.collect()


def ask(answer: ObjectRef, if_dead: int) -> int:
    """The exchange's answer. It dies with its driver, and then nobody waits for this worker."""
    try:
        return int(ray.get(answer))
    except ActorDiedError:
        return if_dead


def train_job(job: Job, number: int, exchange: ActorHandle, workers: WorkerGroup) -> None:
    """The two-phase loop, from the job's newest readable checkpoint if there is one.

    Raises:
        JobOverError: when the driver does not want it any more.
    """
    with open_trial_folder(job["folder"]) as folder, fetched_file(job["weights"]) as weights:
        train_in(folder, {**job, "weights": weights}, number, exchange, workers)


def train_in(
    folder: TrialFolder, job: Job, number: int, exchange: ActorHandle, workers: WorkerGroup
) -> None:
    """`train_job` in the trial's folder; an epoch is durable before it is told."""
    device = _device()
    newest, refused = newest_readable(folder.path)
    values: dict[int, float] = {}  # macro-F1 by epoch

    def report(metrics: EpochReport, make_checkpoint: Callable[[], Checkpoint] | None) -> None:
        values[metrics["epoch"]] = metrics["val_macro_f1"]
        told = {**metrics, "refused_checkpoints": refused[:]} if refused else metrics
        refused.clear()
        goes_on: int = False
        if workers.rank == 0:
            if make_checkpoint:
                store(make_checkpoint(), folder.path, metrics["epoch"])
                drop_old(folder.path, values)
                folder.push(folder_name(metrics["epoch"]))
            goes_on = ask(exchange.tell.remote(number, told), False)
        if not workers.share(goes_on, device):
            raise JobOverError

    fine_tune(
        FineTuneConfig.from_dict(job["config"]),
        ray.get(job["data"]),
        report,
        device=device,
        workers=workers,
        reuse=job["reuse"],
        resume_from=newest,
        weights=job["weights"],
    )


def _device() -> Any:
    found = get_device()
    return found[0] if isinstance(found, list) else found
