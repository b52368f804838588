"""When a search writes the diagnostic report by itself.

A run that has nothing left to do is told so at once; one that has, is not.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from search import run as search_run
from search.records.folder import RunFolder
from search.run import diagnose, is_clear_of, report_if_finished
from search.settings.settings import Settings, preset_settings
from trainables.config import FineTuneConfig
from trainables.models.weights import weights_id
from trainables.storage import journal
from trainables.storage.files import write_json
from trainables.training.evaluation import GATE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("macro_f1", "num_images", "clear"),
    [(0.68, 2_000, True), (0.66, 2_000, False), (0.60, 2_000, False), (0.68, 500, False)],
)
def test_the_gate_wants_the_whole_interval(macro_f1, num_images, clear):
    assert is_clear_of(GATE, macro_f1, num_images) is clear


@pytest.fixture
def commands(monkeypatch):
    called = []

    def run(command, **others):
        called.append(command)
        return subprocess.CompletedProcess(command, 2)

    monkeypatch.setattr(search_run.subprocess, "run", run)
    return called


def record(value):
    best = SimpleNamespace(best={"val_macro_f1": value})
    return SimpleNamespace(best_trial=best if value is not None else None)


def test_a_poor_winner_is_reported_on_in_another_process(commands, tmp_path, capsys):
    diagnose(record(0.6), Settings(), str(tmp_path))
    (command,) = commands
    assert command[1:] == ["-m", "analysis.report", str(tmp_path)]
    assert "the search is whole all the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "settings"),
    [(0.9, Settings()), (None, Settings()), (0.6, Settings(diagnose=False))],
)
def test_a_good_one_none_and_one_that_is_not_wanted_are_not(commands, tmp_path, value, settings):
    diagnose(record(value), settings, str(tmp_path))
    assert commands == []


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
    assert report_if_finished(settings_of(run), run)
    told = capsys.readouterr().out
    assert "finished     mine has all its 2 trials; nothing is left to do" in told
    for command in ("search.confirm", "search.export", "analysis.report", "--resume"):
        assert command in told


def test_more_trials_are_something_to_do(run, capsys):
    assert not report_if_finished(settings_of(run, num_trials=3), run)
    assert capsys.readouterr().out == ""


def test_a_session_that_did_not_end_in_order_is_something_to_do(run):
    journal.append(run.journal, "session_started")
    assert not report_if_finished(settings_of(run), run)


def test_a_run_without_a_journal_is_left_to_the_search_to_judge(run):
    run.journal.unlink()
    assert not report_if_finished(settings_of(run), run)


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
