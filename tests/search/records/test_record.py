"""The fold over the journal, and the tables made of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.records.tables import epochs_table, trials_table, write_tables
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.storage import journal

CONFIG = FineTuneConfig(head_epochs=1, finetune_epochs=2).to_dict()


def report(epoch: int, value: float, **more: object) -> dict:
    phase = {"phase": 1} if epoch == 1 else {"phase": 2, "phase2_epoch": epoch - 1}
    return {
        "epoch": epoch,
        **phase,
        "val_macro_f1": value,
        "val_f1": {"a": value, "b": value},
        "val_confusion": [[3, 1], [0, 4]],
        "rate": {"head": 1e-3} if epoch == 1 else {"head": 1e-3, "backbone": 1e-4},
        "epoch_seconds": 2.0,
        **more,
    }


EVENTS = [
    {"event": "test_audited", "hashes": {}},
    {"event": "started", "trial": 0, "config": CONFIG, "params": {}},
    {"event": "started", "trial": 1, "config": CONFIG, "params": {}},
    {"event": "reported", "trial": 0, "report": report(1, 0.3)},
    {"event": "reported", "trial": 1, "report": report(1, 0.2)},
    {"event": "reported", "trial": 0, "report": report(2, 0.6)},
    {"event": "reported", "trial": 1, "report": report(2, 0.4)},
    {"event": "stopped", "trial": 1, "by": "asha", "rung": 1, "epoch": 2},
    {"event": "reported", "trial": 0, "report": report(3, 0.5, finished=True)},
    {"event": "finished", "trial": 0},
    {"event": "started", "trial": 2, "config": CONFIG, "params": {}},
]


def test_the_best_is_one_epoch_of_one_trial():
    record = RunRecord.of(EVENTS)
    assert record.best_trial is record.trials[0]
    assert record.best_trial.best["epoch"] == 2


def test_status_and_cause_of_each_trial():
    record = RunRecord.of([*EVENTS, {"event": "failed", "trial": 2, "cause": "out of memory"}])
    assert [trial.status for trial in record.trials.values()] == ["finished", "stopped", "failed"]
    assert (record.trials[1].status, record.trials[1].rung) == ("stopped", 1)
    assert record.trials[2].cause == "out of memory"


def test_reports_keep_their_order_of_arrival():
    arrived = [(number, told["epoch"]) for number, told in RunRecord.of(EVENTS).reports]
    assert arrived == [(0, 1), (1, 1), (0, 2), (1, 2), (0, 3)]


def test_tables_have_a_row_a_trial_and_a_row_an_epoch(tmp_path: Path):
    record, folder = RunRecord.of(EVENTS), RunFolder(tmp_path)
    write_tables(record, folder)
    trials, epochs = pd.read_parquet(folder.trials_table), pd.read_parquet(folder.epochs_table)
    assert trials["status"].tolist() == ["finished", "stopped", "running"]
    assert trials["best_val_macro_f1"].iloc[0] == 0.6
    assert trials["last_val_macro_f1"].iloc[0] == 0.5
    assert trials["config/unfreeze"].tolist() == ["all"] * 3
    assert epochs[["trial", "epoch"]].to_numpy().tolist() == [
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 1],
        [1, 2],
    ]
    assert np.isnan(epochs["phase2_epoch"].iloc[0])
    assert epochs["val_confusion"].iloc[0].tolist() == [3, 1, 0, 4]
    assert epochs["rate/backbone"].iloc[1] == 1e-4


def test_tables_of_an_empty_run_are_empty():
    assert trials_table(RunRecord()).empty
    assert epochs_table(RunRecord()).empty


def test_a_journal_line_that_a_kill_cut_short_never_happened(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    journal.append(path, "started", trial=0, config=CONFIG, params={})
    with path.open("a") as file:
        file.write('{"event": "finished", "tri')
    assert [event["event"] for event in journal.read(path)] == ["started"]


def test_a_damaged_journal_is_refused_with_its_line(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "started"}\nnot json\n')
    with pytest.raises(UserError, match="line 2 is not JSON"):
        journal.read(path)


def test_the_journal_refuses_what_is_not_json(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON"):
        journal.append(tmp_path / "journal.jsonl", "reported", value=float("nan"))
    assert journal.read(tmp_path / "journal.jsonl") == []


def test_a_cut_line_does_not_swallow_the_next_event(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"event": "a"}) + '\n{"event": "b"')
    journal.append(path, "c")
    assert [event["event"] for event in journal.read(path)] == ["a", "c"]
