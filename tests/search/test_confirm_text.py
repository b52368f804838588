"""The lines of a confirmation while it trains."""

from search.monitoring.lines import FreshProgress
from search.records.record import RunRecord
from tests.helpers.confirmed import BASE

CELLS = {0: (7, 1000), 1: (7, 1001)}


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
