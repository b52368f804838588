"""What the parts of a trial take on this machine, measured on the code that trains it.

A few steps of each phase on pictures drawn at random. As many processes measure side by side as
the search will train trials at a time: what they take from each other is then in the figures.
"""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import torch

from search.plan.costs import Parts
from search.plan.flops import forward_flops, step_flops
from trainables.classes import CIFAR10_CLASSES, organic_mask
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.training.activations import EVALUATION_BATCH
from trainables.training.augment import epoch_view
from trainables.training.batches import plan_batches
from trainables.training.parallel import SOLO, WorkerGroup
from trainables.training.pictures import TrialData
from trainables.training.stages import Stage
from trainables.two_phase import Trial

WARM_UP_STEPS, TIMED_STEPS = 1, 2
NUM_BATCHES = 2 * (WARM_UP_STEPS + TIMED_STEPS)  # an epoch: in phase 1 plain ones, then mixed ones
VIEWED = 1_000  # pictures of the timed epoch view

_together: Barrier  # where the processes wait for each other, once all have been started


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to measure: the configurations at the ends, the policies of the views, on what."""

    cheap: FineTuneConfig
    dear: FineTuneConfig
    policies: tuple[str, ...]
    base_px: int
    device: str
    num_threads: int
    workers: int  # of one trial


@dataclass(frozen=True, kw_only=True)
class Probed:
    """One process's measurements; the parts once for each timed step, `start` in seconds."""

    cheap: tuple[Parts, ...]
    dear: tuple[Parts, ...]
    views: dict[str, float]
    start: float  # until a fresh Python has imported what trains


def probe_side_by_side(task: Task, count: int) -> list[Probed]:
    """Measure in `count` fresh processes at the same time.

    Raises:
        UserError: the memory does not hold a step.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        count, context, initializer=_remember, initargs=(context.Barrier(count),)
    ) as pool:
        futures = [pool.submit(_probe, task, time.time()) for _ in range(count)]
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise UserError(
                f"one of {count} probes side by side was killed, as the system does when memory "
                "runs out; allowed: as many trials at a time as fit; set --max-concurrent"
            ) from error


def measure(config: FineTuneConfig, task: Task, *, last_stage: bool) -> tuple[Parts, ...]:
    """The parts of one configuration, once for each timed step.

    Args:
        config: whose weights are drawn at random instead: they cost the same.
        task: says where, and how much of a batch one worker takes.
        last_stage: whether phase 2 is measured in its last stage or in its first, which differ
            where the backbone is unfrozen gradually.
    """
    config = replace(config, weights="none")
    device = torch.device(task.device)
    data = TrialData(
        train=_random_pictures(NUM_BATCHES * config.batch_size, task.base_px),
        val=_random_pictures(EVALUATION_BATCH, task.base_px),
        data_seed=0,
    )
    trial = Trial(config, data, device=device, workers=SOLO)
    # The random weights stand for pre-trained ones, which no checkpoint holds.
    state = trial.model.backbone.state_dict()
    trial.pretrained = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    head_stage, finetune_stages = trial.stages[0], trial.stages[1:]
    plain = _time_steps(trial, head_stage, task)
    mixed = _time_steps(trial, head_stage, task, mixing="cutmix")
    head_checkpoint = _time_checkpoint(trial)
    validation = _time_validation(trial, head_stage)
    finetune, finetune_checkpoint, work = [0.0] * TIMED_STEPS, 0.0, 0.0
    if finetune_stages:
        stage = finetune_stages[-1 if last_stage else 0]
        finetune, work = _time_steps(trial, stage, task), step_flops(config, stage)
        finetune_checkpoint = _time_checkpoint(trial)
    return tuple(
        Parts(
            forward_flops=forward_flops(config),
            step_flops=work,
            head=plain[i],
            mixed=mixed[i],
            finetune=finetune[i],
            validation=validation,
            head_checkpoint=head_checkpoint,
            finetune_checkpoint=finetune_checkpoint,
        )
        for i in range(TIMED_STEPS)
    )


def _remember(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _probe(task: Task, asked_at: float) -> Probed:
    start = time.time() - asked_at
    torch.set_num_threads(task.num_threads)
    _together.wait()
    try:
        return Probed(
            cheap=measure(task.cheap, task, last_stage=False),
            dear=measure(task.dear, task, last_stage=True),
            views={policy: _time_view(policy, task) for policy in task.policies},
            start=start,
        )
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"a step of {task.dear.batch_size} pictures at {task.dear.resolution_px} px does not "
            f"fit into the memory of {task.device} ({str(error).partition('. ')[0]}); allowed: "
            "what fits; lower --batch-size or --resolution, or let fewer trials share a GPU"
        ) from error


def _time_steps(trial: Trial, stage: Stage, task: Task, mixing: str | None = None) -> list[float]:
    """Seconds a picture of each timed optimiser step, all batches mixed in the same way."""
    trial.enter_stage(stage)
    view = trial.pictures.view(epoch=1)
    planned = plan_batches(
        trial.config,
        trial.data.train,
        epoch=1,
        train_confusion=None,
        workers=WorkerGroup(rank=0, size=task.workers),
        device=trial.device,
    )
    batches = [replace(batch, mixing=mixing) for batch in planned[: WARM_UP_STEPS + TIMED_STEPS]]
    trial.train(stage, view, batches[:WARM_UP_STEPS])
    seconds = []
    for batch in batches[WARM_UP_STEPS:]:
        started = time.perf_counter()
        trial.train(stage, view, [batch])
        seconds.append((time.perf_counter() - started) / len(batch.indices))
    return seconds


def _time_validation(trial: Trial, stage: Stage) -> float:
    """Seconds a picture of one batch, after one to warm up."""
    seconds = 0.0
    for _ in range(2):
        trial.frozen_val_features = None
        started = time.perf_counter()
        trial.validate(stage)
        seconds = time.perf_counter() - started
    return seconds / len(trial.pictures.val_labels)


def _time_checkpoint(trial: Trial) -> float:
    """Seconds to make and to write a checkpoint, which is deleted at once."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        trial.checkpoint().save(Path(folder))
        return time.perf_counter() - started


def _time_view(policy: str, task: Task) -> float:
    """Seconds a picture of an epoch view, after a small one to warm up."""
    pictures = _random_pictures(VIEWED, task.base_px)
    organic = organic_mask(pictures.class_names)[pictures.labels]
    seconds = 0.0
    for count in (VIEWED // 10, VIEWED):
        started = time.perf_counter()
        epoch_view(
            pictures.images[:count], policy=policy, data_seed=0, epoch=1, organic=organic[:count]
        )
        seconds = time.perf_counter() - started
    return seconds / VIEWED


def _random_pictures(count: int, side_px: int) -> ImageSet:
    rng = np.random.default_rng(0)
    return ImageSet(
        images=rng.integers(0, 256, (count, side_px, side_px, 3), dtype=np.uint8),
        labels=np.arange(count, dtype=np.int64) % len(CIFAR10_CLASSES),
        class_names=CIFAR10_CLASSES,
    )
