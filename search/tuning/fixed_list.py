"""Trains a fixed list of configurations, each to its end, in a folder of its own inside a run.

Killed and started again it goes on: what has ended is not trained again, what was cut short goes on
from its last checkpoint.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from search.records.disk import occupied_bytes
from search.records.folder import RunFolder
from search.records.record import Listener, RunLog, RunRecord
from search.settings.settings import Settings
from search.tuning.recorder import Recorder
from search.tuning.searchers import FixedListSearcher
from search.tuning.stopping import SessionStopper
from search.tuning.trials import run_trials
from trainables.errors import RunError
from trainables.training.epoch_report import REPORT_FIELDS
from trainables.training.pictures import TrialData


def train_fixed_list(
    items: Iterable[dict[str, Any]],
    folder: RunFolder,
    datasets: Mapping[int, TrialData],
    settings: Settings,
    *,
    run: RunFolder,
    listeners: tuple[Listener, ...],
    kept_trials: int,
    selects: bool = True,
    report_fields: tuple[str, ...] = REPORT_FIELDS,
    go_on: str = "the same command goes on with the rest",
) -> RunRecord:
    """Train what of `items` has not ended yet, and return the record of all of them.

    Args:
        items: dictionaries with "number", "config" and "params".
        folder: where journal, trials and tables go.
        datasets: pictures by the seed of a configuration.
        settings: of the run: the trials' resources and the disk's quota.
        run: the run that `folder` lies in, or is.
        listeners: print the progress.
        kept_trials: ended trials that keep a checkpoint.
        selects: it is of the best epoch, and the best of all goes to best.json; else of the last.
        report_fields: what of an epoch's report is written down.
        go_on: what to do after an interruption, for the error.

    Raises:
        RunError: it was cut short.
        Stopped: the user has stopped it.
    """
    log, stopper = RunLog(folder.journal), SessionStopper()
    items = list(items)
    left = [item for item in items if not _has_ended(log.record, item["number"])]
    if not left:
        return log.record
    recorder = Recorder(
        folder,
        log,
        stopper,
        listeners=listeners,
        kept_trials=kept_trials,
        selects=selects,
        quota_bytes=_rest_of_quota(settings, run, folder),
        report_fields=report_fields,
    )
    try:
        run_trials(
            searcher=FixedListSearcher(left),
            scheduler=None,
            recorder=recorder,
            folder=folder,
            datasets=datasets,
            settings=settings,
            num_trials=len(left),
            stand_ins=run.stand_ins(),
            stopper=stopper,
            go_on=go_on,
        )
    except RunError:
        if not stopper.is_fault:
            raise
    num_ended = sum(_has_ended(log.record, item["number"]) for item in items)
    if num_ended < len(items):
        stopper.raise_if_stopped_by_the_user()
        raise RunError(
            f"cut short with {num_ended} of {len(items)} trainings done"
            f"{f': {stopper.reason}' if stopper.reason else ''}; {go_on}"
        )
    return log.record


def _has_ended(record: RunRecord, number: int) -> bool:
    return number in record.trials and record.trials[number].ended


def _rest_of_quota(settings: Settings, run: RunFolder, folder: RunFolder) -> int:
    """What of the run's quota this folder may take; 0: no limit."""
    if not settings.quota_bytes:
        return 0
    others = occupied_bytes(run.root) - occupied_bytes(folder.root)
    return max(settings.quota_bytes - others, 1)
