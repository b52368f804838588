"""A run that has nothing left to do is told so at once; one that has, is not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from search.finished import tell_if_finished
from search.run_folder import RunFolder, write_json
from search.settings import Settings, preset_settings
from trainables import journal
from trainables.config import FineTuneConfig
from trainables.weights import weights_id

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A demo of two trials that has ended in order."""
    folder = RunFolder(tmp_path / "runs" / "mine")
    folder.root.mkdir(parents=True)
    settings = Settings(**preset_settings("demo") | {"num_trials": 2, "name": "mine"})
    weights = {"id": weights_id("resnet18", "embedded")}
    write_json(
        folder.experiment,
        {"format_version": 1, "settings": settings.to_dict(), "weights": weights},
    )
    journal.append(folder.journal, "session_started")
    for number in (0, 1):
        config = FineTuneConfig(head_lr=0.01 / (number + 1)).to_dict()
        journal.append(folder.journal, "started", trial=number, config=config, params={})
        report = {"epoch": 1, "val_macro_f1": 0.5 + number / 10, "val_accuracy": 0.6}
        journal.append(folder.journal, "reported", trial=number, report=report)
        journal.append(folder.journal, "finished", trial=number)
    journal.append(folder.journal, "session_ended")
    return folder


def settings_of(run: RunFolder, **changes: object) -> Settings:
    return Settings(**run.read_experiment()["settings"] | changes)


def test_a_finished_run_names_the_next_commands(run, capsys):
    journal.append(run.journal, "test_opened", by="analysis.report")  # what comes after is no trial
    assert tell_if_finished(settings_of(run), run)
    told = capsys.readouterr().out
    assert "finished     mine has all its 2 trials; nothing is left to do" in told
    for command in ("search.confirm", "search.export", "analysis.report", "--resume"):
        assert command in told


def test_more_trials_are_something_to_do(run, capsys):
    assert not tell_if_finished(settings_of(run, num_trials=3), run)
    assert capsys.readouterr().out == ""


def test_a_session_that_did_not_end_in_order_is_something_to_do(run):
    journal.append(run.journal, "session_started")
    assert not tell_if_finished(settings_of(run), run)


def test_a_run_without_a_journal_is_left_to_the_search_to_judge(run):
    run.journal.unlink()
    assert not tell_if_finished(settings_of(run), run)


def test_resuming_it_imports_neither_ray_nor_torch_and_writes_nothing(run):
    before = {path: path.read_bytes() for path in run.root.rglob("*")}
    code = (
        "import json, sys; from search.run import main; main(json.loads(sys.argv[1]));"
        "print(sorted({'ray', 'torch', 'pandas'} & sys.modules.keys()))"
    )
    words = ["--resume", "--name", "mine", "--storage", str(run.root.parent)]
    told = subprocess.run(
        [sys.executable, "-c", code, json.dumps(words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[-1] == "[]"
    assert {path: path.read_bytes() for path in run.root.rglob("*")} == before
