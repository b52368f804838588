"""Puts the pieces together: Ray's cluster, Optuna's searcher, ASHA, the trials, the recorder."""

import logging
import os
import time
from typing import Any

import optuna
import ray
from optuna import Trial
from ray import tune

from search.environment import check_gpus
from search.names import EXPERIMENT_NAME, OBJECTIVE
from search.progress import Progress
from search.record import RunRecord
from search.recorder import Recorder
from search.run_folder import RunFolder
from search.scheduler import PhaseAlignedASHA, Rungs
from search.searcher import TruthfulOptunaSearch
from search.settings import Settings
from search.tensorboard import TensorBoard
from spaces.registry import load_space
from spaces.warm_start import first_asked
from trainables import journal
from trainables.config import FineTuneConfig
from trainables.ray_train import SharedTrialInputs, TrialResources, trial_folder, tune_trial
from trainables.two_phase import TrialData

RAY_SETTINGS = {
    # How often Ray Train's controller looks at its workers: at most one report an interval.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    # Our own lines tell what happens: Tune's table is switched off (`verbose=0` in its older form).
    "RAY_AIR_NEW_OUTPUT": "0",
    # The run folder is the record, so Tune's own loggers and frequent snapshots are not wanted.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "600",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
# A driver only relays. This tiny share of the head node's own resource keeps it there, so that the
# loss of another node is Ray Train's to mend, and takes no core from a trial.
DRIVER_RESOURCES = {"node:__internal_head__": 0.001}


def cluster_is_remote() -> bool:
    """Whether trials run on a cluster that was there before us, not on this machine alone."""
    return bool(os.environ.get("RAY_ADDRESS"))


def connect(settings: Settings) -> str:
    """Join the running cluster (RAY_ADDRESS, or this head node's), else start one here."""
    os.environ.update({k: v for k, v in RAY_SETTINGS.items() if k not in os.environ})
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
    resources = ray.cluster_resources()
    nodes = sum(node["Alive"] for node in ray.nodes())
    check_gpus(settings, num_gpus=resources.get("GPU", 0), where="the cluster")
    return (
        f"{nodes} node{'s' if nodes > 1 else ''}, {resources.get('CPU', 0):g} cores, "
        f"{resources.get('GPU', 0):g} GPUs"
    )


def concurrent_trials(settings: Settings, resources: dict[str, float]) -> int:
    """How many trials the cluster holds at a time; at least one, which may have to wait."""
    if settings.max_concurrent:
        return settings.max_concurrent
    fits = resources.get("CPU", 0) / (settings.cpus_per_trial * settings.workers_per_trial)
    if settings.gpus_per_trial:
        gpus = settings.gpus_per_trial * settings.workers_per_trial
        fits = min(fits, resources.get("GPU", 0) / gpus)
    return max(1, int(fits + 1e-9))


def run_search(
    settings: Settings, folder: RunFolder, data: TrialData, base: FineTuneConfig
) -> RunRecord:
    """Run the search, or the rest of it, on the connected cluster; returns what happened."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    record = RunRecord.read(folder.journal)
    scheduler = PhaseAlignedASHA(
        Rungs(
            grace_epochs=settings.grace_epochs,
            reduction_factor=settings.reduction_factor,
            max_epochs=settings.finetune_epochs,
        ),
        earlier_reports=record.reports,
    )
    space = load_space(settings.space)

    def suggest(trial: Trial) -> FineTuneConfig:
        return space(trial, base)

    searcher = TruthfulOptunaSearch(
        suggest,
        study_path=folder.study,
        seed=settings.seed,
        num_startup_trials=startup_trials(settings.num_trials),
        first=first_asked(space, base),
    )
    remaining = settings.num_trials - sum(trial.ended for trial in record.trials.values())
    if remaining <= 0:
        return record
    recorder = Recorder(folder, record, scheduler, (Progress(), TensorBoard(folder)))
    shared = SharedTrialInputs(
        data=ray.put(data),
        trials_dir=str(folder.trials),
        resources=TrialResources(
            workers=settings.workers_per_trial,
            cpus=settings.cpus_per_trial,
            gpus=settings.gpus_per_trial,
        ),
    )
    trainable = tune.with_resources(
        tune.with_parameters(tune_trial, shared=shared), DRIVER_RESOURCES
    )
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            metric=OBJECTIVE,
            mode="max",
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=remaining,
            max_concurrent_trials=concurrent_trials(settings, ray.cluster_resources()),
            time_budget_s=_seconds_left(settings, record),
            trial_dirname_creator=_dirname,
            trial_name_creator=_dirname,
        ),
        run_config=tune.RunConfig(
            name=EXPERIMENT_NAME,
            storage_path=str(folder.root),
            callbacks=[recorder],
            verbose=0,
            # Tune mends the loss of a driver or of a Train controller; Train mends its workers'.
            failure_config=tune.FailureConfig(max_failures=1),
        ),
    )
    started = time.monotonic()
    tuner.fit()
    seconds = time.monotonic() - started
    record.apply(journal.append(folder.journal, "session_ended", seconds=seconds))
    return record


def startup_trials(num_trials: int) -> int:
    """Random configurations before TPE models: a quarter of the search, from 4 to 16."""
    return min(max(num_trials // 4, 4), 16)


def _seconds_left(settings: Settings, record: RunRecord) -> float | None:
    if not settings.max_hours:
        return None
    return max(settings.max_hours * 3600 - record.elapsed_seconds, 1.0)


def _dirname(trial: Any) -> str:
    return trial_folder(trial.config["number"])
