"""When a search writes the diagnostic report by itself."""

import subprocess
from types import SimpleNamespace

import pytest

from search import run as search_run
from search.run import diagnose, is_clear_of
from search.settings.settings import Settings
from trainables.training.evaluation import GATE


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
