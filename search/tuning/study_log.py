"""Optuna's log of a study, cut back to what a run's journal has.

In a store the study may be some seconds ahead of the journal (`trainables.storage.mirror`): what it
tells of epochs and ends that the journal does not have never happened, and what follows it neither.
"""

import json
import os
from pathlib import Path
from typing import Any

from optuna.storages.journal._storage import JournalOperation
from optuna.trial import TrialState

from search.records.record import RunRecord


def cut_back(study: Path, record: RunRecord) -> None:
    """Cut the log before the first result that the journal does not have.

    Args:
        study: of one study, whose trials' ids are their numbers.
        record: what the journal tells.
    """
    kept = 0
    for line in study.read_bytes().splitlines(keepends=True):
        if not _is_on_record(json.loads(line), record):
            break
        kept += len(line)
    os.truncate(study, kept)


def _is_on_record(operation: dict[str, Any], record: RunRecord) -> bool:
    """Whether the journal has what an operation tells of a trial's results, if it tells any."""
    kind, number = operation["op_code"], operation.get("trial_id", -1)  # -1: not of a trial
    if number in record.answered:
        return True
    if kind == JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE:
        return record.has_epoch(number, operation["step"])
    if kind == JournalOperation.SET_TRIAL_STATE_VALUES:
        is_end = TrialState(operation["state"]).is_finished()
        return not is_end or (number in record.trials and record.trials[number].ended)
    return True
