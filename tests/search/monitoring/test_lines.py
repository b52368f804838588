"""The terminal's lines.

The lines of a confirmation while it trains.
"""

import itertools

from search.monitoring.lines import HEADER, FreshProgress, Progress, describe_end, duration
from search.records.record import RunRecord, TrialRecord
from tests.helpers.confirmed import BASE
from trainables.config import FineTuneConfig

CELLS = {0: (7, 1000), 1: (7, 1001)}


def test_durations():
    assert [duration(s) for s in (7, 754, 3723)] == ["0:07", "12:34", "1:02:03"]


def test_one_aligned_line_an_epoch_with_the_best_so_far():
    lines: list[str] = []
    record = RunRecord()
    record.apply(
        {"event": "started", "trial": 3, "config": FineTuneConfig().to_dict(), "params": {}}
    )
    clock = itertools.count(0, 41)
    progress = Progress(out=lines.append, clock=lambda: next(clock))
    for epoch, value in ((1, 0.5), (2, 0.4)):
        report = {
            "epoch": epoch,
            "phase": epoch,
            "train_loss": 1.5,
            "val_loss": 1.25,
            "val_accuracy": 0.51,
            "val_macro_f1": value,
            "images_per_second": 812.3,
        }
        record.apply({"event": "reported", "trial": 3, "report": report})
        progress.on_epoch(record, record.trials[3], report)
    assert lines[0] == HEADER
    assert len(lines) == 3
    columns = HEADER.index("best F1 so far")
    assert [line[columns:] for line in lines[1:]] == ["0.500 (trial 3, epoch 1)"] * 2
    assert lines[1].split()[:5] == ["0:41", "3", "head", "1/20", "1.5000"]


def test_an_undefined_loss_is_a_dash():
    lines: list[str] = []
    record = RunRecord()
    record.apply(
        {"event": "started", "trial": 0, "config": FineTuneConfig().to_dict(), "params": {}}
    )
    report = {
        "epoch": 1,
        "phase": 1,
        "val_accuracy": 0.1,
        "val_macro_f1": 0.02,
        "images_per_second": 1.0,
    }
    record.apply({"event": "reported", "trial": 0, "report": report})
    Progress(out=lines.append).on_epoch(record, record.trials[0], report)
    assert lines[1].split()[4:6] == ["-", "-"]


def test_how_a_trial_ended():
    trial = TrialRecord(number=1, config={})
    trial.reports.append({"epoch": 4, "val_macro_f1": 0.61})
    trial.status, trial.rung = "stopped", 3
    assert (
        describe_end(trial) == "stopped by ASHA after 3 fine-tune epochs, best F1 0.610 at epoch 4"
    )
    trial.rung = 1
    assert describe_end(trial).startswith("stopped by ASHA after 1 fine-tune epoch, ")
    trial.status, trial.cause = "failed", "out of memory"
    assert describe_end(trial) == "failed: out of memory"


def told(*events: dict) -> list[str]:
    """What is printed of a record's events as they come."""
    record, lines = RunRecord(), []
    progress = FreshProgress(CELLS, out=lines.append)
    for event in events:
        record.apply(event)
        trial = record.trials[event["trial"]]
        if event["event"] == "reported":
            progress.on_epoch(record, trial, event["report"])
        elif event["event"] != "started":
            progress.on_end(record, trial)
    return lines


def started(number: int) -> dict:
    config = BASE.to_dict() | {"last_epoch": 2}
    return {"event": "started", "trial": number, "config": config, "params": {}}


def reported(number: int, epoch: int, **more: object) -> dict:
    report = {"epoch": epoch, "phase": epoch, "train_loss": 1.5, "images_per_second": 99.0}
    report |= {"finished": epoch == 2, **more}
    return {"event": "reported", "trial": number, "report": report}


def test_a_line_an_epoch_under_one_header():
    header, first, last = told(
        started(1), reported(1, 1, val_macro_f1=0.25), reported(1, 2, val_macro_f1=0.5)
    )
    assert header.split()[:3] == ["elapsed", "trial", "seed"]
    assert first.split()[1:] == ["7", "1001", "head", "1/2", "1.5000", "0.250", "99", "0/2"]
    assert last.split()[1:] == ["7", "1001", "finetune", "2/2", "1.5000", "0.500", "99", "1/2"]
    assert header.index("done") == first.index("0/2")


def test_what_was_not_validated_is_shown_as_a_dash():
    assert told(started(0), reported(0, 1))[1].split()[6] == "-"


def test_an_end_is_told_only_where_it_is_none():
    assert told(started(0), {"event": "finished", "trial": 0}) == []
    failed = {"event": "failed", "trial": 0, "cause": "out of memory", "kind": "out_of_memory"}
    (line,) = told(started(0), failed)
    assert line.split()[1:] == ["7", "1000", "failed:", "out", "of", "memory"]
