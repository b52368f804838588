"""What a rerun refuses; that it repeats a real record is in test_whole_search.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from search.records.record import RunRecord
from search.rerun import find_trial, main
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
