"""What has to be true of a run folder however its search was disturbed."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from optuna.trial import TrialState

from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.tuning.study import open_study
from tests.faults.process import SearchProcess
from trainables.models.checkpoints import load_checkpoint

ENDS = ("finished", "stopped", "failed", "diverged")
# What differs between two trainings of one configuration on one machine.
TIMES = re.compile("seconds|per_second|peak_memory")
# What Optuna is told of an end; of a failure that is not for want of memory, FAIL.
TOLD_STATES = {
    "finished": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "diverged": TrialState.PRUNED,
    "out_of_memory": TrialState.PRUNED,
}


def check_record(search: SearchProcess, *, num_trials: int, max_concurrent: int) -> None:
    """All trials ended, each once, and journal, tables, best.json and study say the same."""
    folder, record = search.folder, search.record
    assert sorted(record.trials) == list(range(num_trials))
    assert all(trial.ended for trial in record.trials.values())
    _check_journal(search.events, max_concurrent=max_concurrent)
    _check_best(folder)
    _check_tables(folder, record)
    _check_study(folder, record)


def _check_journal(events: list[dict[str, Any]], *, max_concurrent: int) -> None:
    """No trial starts or ends twice, no epoch is told twice or left out, nothing after the end."""
    starts = Counter(e["trial"] for e in events if e["event"] == "started")
    ends = Counter(e["trial"] for e in events if e["event"] in ENDS)
    assert set(starts.values()) == set(ends.values()) == {1}
    assert starts.keys() == ends.keys()
    running: set[int] = set()
    epochs: Counter[int] = Counter()
    for event in events:
        kind, trial = event["event"], event.get("trial")
        if kind == "started":
            running.add(trial)
            assert len(running) <= max_concurrent
        elif kind in ("resumed", "reported", *ENDS):
            assert trial in running
        if kind == "reported":
            epochs[trial] += 1
            assert event["report"]["epoch"] == epochs[trial]
        elif kind in ENDS:
            running.remove(trial)


def _check_best(folder: RunFolder) -> None:
    """best.json is the best epoch of the tables, and its checkpoint is that epoch's."""
    best, epochs = folder.read_best(), pd.read_parquet(folder.epochs_table)
    top = epochs.loc[epochs["val_macro_f1"].idxmax()]
    assert (best["trial"], best["epoch"]) == (top["trial"], top["epoch"])
    assert best["val_macro_f1"] == top["val_macro_f1"]
    saved = load_checkpoint(folder.root / best["checkpoint"])
    assert len(saved.history) == best["epoch"]
    assert saved.history[-1]["val_macro_f1"] == best["val_macro_f1"]
    assert saved.config.to_dict() == best["config"]


def _check_tables(folder: RunFolder, record: RunRecord) -> None:
    trials = pd.read_parquet(folder.trials_table)
    assert trials["status"].tolist() == [t.status for _, t in sorted(record.trials.items())]
    epochs = pd.read_parquet(folder.epochs_table)
    assert len(epochs) == len(record.reports)


def _check_study(folder: RunFolder, record: RunRecord) -> None:
    """Optuna knows of all trials, and what became of each."""
    trials = {trial.number: trial for trial in open_study(folder.study).trials}
    assert trials.keys() == record.trials.keys()
    for number, trial in record.trials.items():
        state = TOLD_STATES.get(trial.kind or trial.status, TrialState.FAIL)
        assert (number, trials[number].state) == (number, state)
        values = {report["epoch"]: report["val_macro_f1"] for report in trial.reports}
        assert trials[number].intermediate_values == values
        infeasible = any(value > 0 for value in trials[number].constraints.values())
        assert infeasible == (trial.status == "diverged" or trial.kind == "out_of_memory")


def assert_same_tables(one: RunFolder, other: RunFolder, *, trials: int | None = None) -> None:
    """Configurations, statuses and metrics are the same to the last digit; times may differ.

    With `trials`, those of the first so many trials of the other.
    """
    for name in ("trials_table", "epochs_table"):
        a, b = (_timeless(getattr(folder, name)) for folder in (one, other))
        if trials is not None:
            # A column that is empty in the first trials has no type of its own there.
            a, b = (part.dropna(axis=1, how="all") for part in (a, b[b["trial"] < trials]))
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def _timeless(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    table = table[[name for name in table if not TIMES.search(name)]]
    arrays = [name for name in table if isinstance(table[name].iloc[0], np.ndarray)]
    return table.assign(**{name: table[name].map(lambda array: array.tolist()) for name in arrays})
