"""What a rerun refuses; that it repeats a real record is in test_whole_search.py.

A record and its repetition, by hand.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search.records.record import RunRecord
from search.rerun import HEADER, EpochComparison, Verdict, find_trial, give_verdict, main
from search.settings.settings import Settings
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.storage.layout import FORMAT_VERSION

ROOT = Path(__file__).parents[2]
CONFIG = FineTuneConfig().to_dict()
EVENTS = [
    {"event": "started", "trial": 0, "config": CONFIG, "params": {}},
    {"event": "reported", "trial": 0, "report": {"epoch": 1, "val_macro_f1": 0.5}},
    {"event": "started", "trial": 1, "config": CONFIG, "params": {}},
    {"event": "failed", "trial": 1, "cause": "out of memory", "kind": "out_of_memory"},
    {"event": "asked", "trial": 2, "config": CONFIG, "params": {}},
    {"event": "answered", "trial": 2, "of": 0},
]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "TRIAL is 1; allowed: one with an epoch on record: 0"),
        (7, "TRIAL is 7"),
        (2, "TRIAL 2 was a duplicate that the record answered; allowed: trial 0"),
    ],
)
def test_only_what_was_trained_can_be_trained_again(number, told):
    with pytest.raises(UserError, match=told):
        find_trial(RunRecord.of(EVENTS), number)


def test_a_trial_with_an_epoch_is_found_whatever_became_of_it():
    assert find_trial(RunRecord.of(EVENTS), 0).status == "running"


@pytest.mark.parametrize(
    ("flags", "settings", "told"),
    [
        (["--epochs", "-1"], {}, "--epochs is -1"),
        (["--device", "tpu"], {}, "--device is 'tpu'; allowed: auto, cpu, cuda"),
        (["--tolerance", "nan"], {}, "--tolerance is nan; allowed: 0 or more"),
        ([], {"workers_per_trial": 2}, "trained each trial on 2 workers"),
    ],
)
def test_a_fault_names_value_and_way_out(flags, settings, told, tmp_path):
    recorded = {**Settings(**settings).to_dict(), "name": "x"}
    experiment = {"format_version": FORMAT_VERSION, "settings": recorded}
    (tmp_path / "experiment.json").write_text(json.dumps(experiment))
    with pytest.raises(UserError) as caught:
        main([str(tmp_path), "0", *flags])
    assert told in str(caught.value)


@pytest.mark.timeout(30)
def test_a_foreign_folder_is_one_line_and_status_2(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "search.rerun", str(tmp_path), "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 2
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 1


def report(epoch: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "phase": 1,
        "train_loss": 2.0,
        "val_loss": 1.5,
        "val_accuracy": 0.5,
        "val_macro_f1": 0.4,
        "val_confusion": [[6, 4], [4, 6]],
        "epoch_seconds": 3.0,
        **changes,
    }


def pair(recorded: dict[str, Any], again: dict[str, Any]) -> EpochComparison:
    return EpochComparison(recorded=recorded, again=again)


def judge(epochs: list[EpochComparison], *, tolerance: float) -> Verdict:
    return give_verdict(epochs, num_recorded=len(epochs), tolerance=tolerance)


SAME = pair(report(), report(epoch_seconds=9.0))


def test_the_same_numbers_are_identical_whatever_time_they_took():
    verdict = judge([SAME, SAME], tolerance=0.0)
    assert verdict.is_identical
    assert verdict.agrees
    assert verdict.text == "identical to the last digit"


@pytest.mark.parametrize("name", ["train_loss", "val_loss", "val_accuracy", "val_macro_f1"])
def test_the_last_digit_of_any_figure_counts(name):
    nudged = report()[name] * (1 + 2**-52)
    assert not judge([SAME, pair(report(), report(**{name: nudged}))], tolerance=0.0).agrees


def test_a_difference_is_told_with_its_first_epoch_and_its_size():
    epochs = [SAME, pair(report(2), report(2, val_loss=1.6)), pair(report(3), report(3))]
    assert judge(epochs, tolerance=0.05).text == (
        "differs by up to 1.0e-01, from epoch 2 on; 0.05 is allowed"
    )
    assert not judge(epochs, tolerance=0.05).agrees
    within = judge(epochs, tolerance=0.2)
    assert within.agrees
    assert not within.is_identical
    assert within.text.startswith("within 1.0e-01 of the record, from epoch 2 on")


def test_a_picture_judged_otherwise_counts_as_its_share():
    moved = pair(report(), report(val_confusion=[[5, 5], [4, 6]]))
    assert moved.moved == 1
    assert moved.difference == 1 / 20
    # One count that was changed alone is no picture that moved, but it is a difference.
    assert pair(report(), report(val_confusion=[[6, 5], [4, 6]])).moved == 1


def test_a_number_in_one_of_them_alone_is_no_agreement():
    diverged = report()
    del diverged["train_loss"]  # NaN is not written down
    assert pair(diverged, diverged).difference == 0.0
    assert not judge([pair(report(), diverged)], tolerance=0.5).agrees
    assert " - " in pair(diverged, report()).line()


def test_a_trial_that_is_over_too_early_is_another_one():
    verdict = give_verdict([SAME], num_recorded=2, tolerance=1.0)
    assert not verdict.agrees
    assert verdict.text == "differs: over after 1 epochs, with 2 on record"


def test_lines_stand_under_their_header():
    above, header = HEADER.splitlines()
    line = pair(report(12), report(12, val_loss=1.50123)).line()
    assert len(above) == len(header) == len(line)
    assert line.split()[:2] == ["12", "head"]
    assert line.split()[-2:] == ["0", "1.2e-03"]
