"""Runs configurations as Ray trials on the connected cluster and writes down what comes of them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import ray
from ray import tune
from ray.tune.error import TuneError
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import ConcurrencyLimiter, Searcher

from search.cluster.capacity import (
    ElasticConcurrency,
    Placeholders,
    concurrent_trials,
    living_nodes,
)
from search.cluster.connect import can_grow
from search.cluster.ray_log import ray_output_in
from search.records.folder import RunFolder
from search.records.record import EXPERIMENT_NAME, OBJECTIVE
from search.settings.settings import Settings
from search.tuning.interrupt import Interrupt
from search.tuning.recorder import Recorder
from search.tuning.stopping import SessionStopper
from trainables.errors import RunError
from trainables.training.pictures import TrialData
from trainables.workers.ray_trial import FineTuneTrial, trial_folder
from trainables.workers.slot import SharedTrialInputs, SlotResources

# A trial's Tune actor only relays reports. This tiny share of the head node's own resource keeps it
# there, so that Ray Train recovers from the loss of another node, and takes no core from a trial.
TRIAL_ACTOR_RESOURCES = {"node:__internal_head__": 0.001}
# How often Tune starts a trial's actor again after its process, its Train controller or its node
# has died. A fault of the trial itself is reported, not raised, and never tried again.
TRIAL_ACTOR_RESTARTS = 5


def run_trials(
    *,
    searcher: Searcher,
    scheduler: TrialScheduler | None,
    recorder: Recorder,
    folder: RunFolder,
    datasets: Mapping[int, TrialData],
    settings: Settings,
    num_trials: int,
    stopper: SessionStopper,
    trainable: type[tune.Trainable] = FineTuneTrial,
    resources: Mapping[str, float] = TRIAL_ACTOR_RESOURCES,
    stand_ins: Mapping[str, str] | None = None,
    go_on: str = "--resume goes on",
) -> None:
    """Run `num_trials` configurations of `searcher`; returns when they, or the session, end.

    Args:
        searcher: hands out {"number", "config", "params"}.
        scheduler: stops trials early; None lets each run to its end.
        recorder: writes the journal.
        folder: where the trials' folders go.
        datasets: pictures by the seed of a configuration: a trial trains on those of its seed.
        settings: the trials' resources and the most that run at a time.
        num_trials: to run, those that go on after an interruption included.
        stopper: ends the run before its last trial.
        trainable: what Tune starts for a trial; it is set up as a `FineTuneTrial` is.
        resources: that it occupies itself.
        stand_ins: files in place of weights that configurations name (`RunFolder.stand_ins`).
        go_on: how to go on later, printed when the user stops it.

    Raises:
        RunError: a fault ended the session; what is left can be resumed.
        Stopped: the user has stopped it at once.
    """
    if folder.copy:
        folder.copy.on_loss = partial(stopper.stop, is_fault=True)
    shared = SharedTrialInputs(
        datasets={seed: ray.put(data) for seed, data in datasets.items()},
        trials_dir=f"{folder.address}/{folder.trials.name}",
        resources=SlotResources(
            workers=settings.workers_per_trial,
            cpus=settings.cpus_per_trial,
            gpus=settings.gpus_per_trial,
        ),
        reuse=settings.reuse_with,
        stand_ins=dict(stand_ins or {}),
    )
    limiter = ConcurrencyLimiter(
        searcher, max_concurrent=concurrent_trials(settings, living_nodes())
    )
    elastic = ElasticConcurrency(
        limiter,
        settings,
        num_trials=num_trials,
        note=recorder.note,
        placeholders=Placeholders(settings) if can_grow() else None,
    )
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(trainable, shared=shared), dict(resources)),
        tune_config=tune.TuneConfig(
            metric=OBJECTIVE,
            mode="max",
            search_alg=limiter,
            scheduler=scheduler,
            num_samples=num_trials,
            trial_dirname_creator=_dirname,
            trial_name_creator=_dirname,
            reuse_actors=True,  # a slot takes long to start, and stays with its actor
        ),
        run_config=tune.RunConfig(
            name=EXPERIMENT_NAME,
            storage_path=str(folder.root),
            callbacks=[recorder, elastic],
            stop=stopper,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=TRIAL_ACTOR_RESTARTS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # trials write theirs
        ),
    )
    try:
        with Interrupt(stopper, recorder, go_on=go_on), ray_output_in(folder.root):
            tuner.fit()
    except (TuneError, OSError):
        if stopper.reason is None:
            raise
    if stopper.is_fault:
        raise RunError(f"{stopper.reason}, then go on with --resume --name {folder.root.name}")


def _dirname(trial: Any) -> str:
    return trial_folder(trial.config["number"])
