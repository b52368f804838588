"""Puts the search together: Optuna's study, ASHA, the trials, the recorder."""

import math
import time

import optuna
from optuna import Trial

from search.cluster.capacity import concurrent_trials, living_nodes
from search.monitoring.lines import duration
from search.monitoring.live import progress_of
from search.monitoring.summary import resume_command
from search.monitoring.tensorboard import TensorBoard
from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.settings.settings import Settings
from search.tuning.recorder import Recorder
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule
from search.tuning.searchers import StudySearcher
from search.tuning.stopping import SessionStopper, search_seconds
from search.tuning.study import JournaledStudy, Suggest, study_storage
from search.tuning.study_log import cut_back
from search.tuning.trials import run_trials
from spaces.registry import NUM_REHEARSALS, Space, load_space, quiet_study
from spaces.warm_start import first_asked
from trainables.config import FineTuneConfig
from trainables.storage import journal
from trainables.training.pictures import TrialData


def run_search(
    settings: Settings, folder: RunFolder, data: TrialData, base: FineTuneConfig
) -> RunRecord:
    """Run the search, or the rest of it, on the connected cluster; returns what happened.

    Raises:
        RunError: a fault ended the session; what is left can be resumed.
        Stopped: the user has stopped it, and what is left can be resumed.
    """
    log = RunLog(folder.journal)
    earlier, started = log.record.elapsed_seconds, time.monotonic()
    study = open_run_study(settings, folder, base, log)
    log.write("session_started")
    rule = stopping_rule(settings)
    scheduler = PhaseAlignedASHA(rule, earlier_reports=log.record.reports)

    def seconds_left() -> float:
        return _allowed_seconds(settings, log.record) - (earlier + time.monotonic() - started)

    stopper = SessionStopper(lambda: _time_is_up(settings, log.record, seconds_left()))
    remaining = settings.num_trials - log.record.num_ended
    if remaining > 0:
        board = TensorBoard(folder, {settings.seed: data}, params=searched_settings(settings, base))
        progress = progress_of(
            log.record,
            name=folder.root.name,
            num_trials=settings.num_trials,
            allowed_seconds=seconds_left,
        )
        with progress as shown:
            run_trials(
                searcher=StudySearcher(study),
                scheduler=scheduler,
                recorder=Recorder(
                    folder,
                    log,
                    stopper,
                    rule=rule,
                    listeners=(study, shown, board),
                    quota_bytes=settings.quota_bytes,
                ),
                folder=folder,
                datasets={settings.seed: data},
                settings=settings,
                num_trials=remaining,
                stand_ins=folder.stand_ins(),
                stopper=stopper,
                go_on=f"go on with {resume_command(folder)}",
            )
    if stopper.reason:
        log.write("halted", reason=stopper.reason)
        print(f"halted       {stopper.reason}")
    elif log.record.num_ended < settings.num_trials:
        print(
            f"exhausted    all that the sampler proposes is on record after "
            f"{log.record.num_ended} of {settings.num_trials} trials"
        )
    log.write("session_ended")
    stopper.raise_if_stopped_by_the_user()
    return log.record


def open_run_study(
    settings: Settings, folder: RunFolder, base: FineTuneConfig, log: RunLog
) -> JournaledStudy:
    """The run's study on disk, new or to go on with."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = load_space(settings.space)
    if folder.study.exists():
        journal.drop_cut_line(folder.study)  # Optuna refuses a file where more follows a cut line
        if folder.is_pulled:
            cut_back(folder.study, log.record)
    return JournaledStudy(
        suggester(space, base),
        storage=study_storage(folder.study),
        seed=settings.seed,
        # Of the trials that the run was begun with: more of them later change nothing behind them.
        num_startup_trials=startup_trials(folder.read_experiment()["settings"]["num_trials"]),
        first=first_asked(space, base),
        log=log,
    )


def suggester(space: Space, base: FineTuneConfig) -> Suggest:
    """The space, drawn around the run's own settings."""

    def suggest(trial: Trial) -> FineTuneConfig:
        return space(trial, base)

    return suggest


def searched_settings(settings: Settings, base: FineTuneConfig) -> list[str]:
    """The settings that a space chooses, from the draws with which `check_space` rehearsed it."""
    space, study = load_space(settings.space), quiet_study(seed=0)
    names: dict[str, None] = {}
    for _ in range(NUM_REHEARSALS):
        trial = study.ask()
        space(trial, base)
        names |= dict.fromkeys(trial.params)
    return [*names]


def stopping_rule(settings: Settings) -> StoppingRule:
    """ASHA as the settings want it."""
    return StoppingRule(Rungs.of(settings), spared_share=settings.late_bloomers, seed=settings.seed)


def startup_trials(num_trials: int) -> int:
    """Random configurations before TPE models: a quarter of the search, from 4 to 16."""
    return min(max(num_trials // 4, 4), 16)


def _allowed_seconds(settings: Settings, record: RunRecord) -> float:
    """What --max-hours leaves the search, of all its sessions together."""
    if not settings.max_hours:
        return math.inf
    return search_seconds(
        record,
        max_hours=settings.max_hours,
        reserved_trials=settings.reserve_trials,
        concurrent=concurrent_trials(settings, living_nodes()),
    )


def _time_is_up(settings: Settings, record: RunRecord, seconds_left: float) -> str | None:
    if seconds_left > 0:
        return None
    allowed = _allowed_seconds(settings, record)
    kept = duration(settings.max_hours * 3600 - allowed)
    return (
        f"--max-hours {settings.max_hours:g}: {duration(allowed)} are over, {kept} are kept for "
        "search.confirm and the report; --resume with more hours goes on"
    )
