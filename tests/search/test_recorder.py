"""What is written down, and which checkpoints stay, with trials made by hand."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from search.record import RunRecord
from search.recorder import Recorder
from search.run_folder import RunFolder
from search.scheduler import PhaseAlignedASHA, Rungs
from trainables import journal
from trainables.config import FineTuneConfig

CONFIG = FineTuneConfig(head_epochs=1, finetune_epochs=3).to_dict()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def recorder(folder: RunFolder) -> Recorder:
    record = RunRecord.read(folder.journal)
    rungs = Rungs(grace_epochs=1, reduction_factor=3, max_epochs=3)
    made = Recorder(folder, record, PhaseAlignedASHA(rungs), listeners=())
    made.setup()
    return made


def trial(number: int, error_file: str | None = None) -> SimpleNamespace:
    config = {"number": number, "config": CONFIG, "params": {}}
    return SimpleNamespace(config=config, error_file=error_file)


def tell(made: Recorder, number: int, epoch: int, value: float, **more: object) -> None:
    """One epoch's report, its checkpoint being there already as Ray Train sees to it."""
    path = made.folder.trials / f"trial_{number:04d}" / f"checkpoint_{epoch:04d}"
    path.mkdir(parents=True, exist_ok=True)
    result = {
        "epoch": epoch,
        "phase": 1 if epoch == 1 else 2,
        "val_macro_f1": value,
        "val_accuracy": value,
        "val_loss": 1.0,
        "val_f1": {"a": value},
        "val_confusion": [[1]],
        "rate": {"head": 1e-3},
        "epoch_seconds": 1.0,
        "finished": epoch == 4,
        "training_iteration": 1,
        "train_confusion": [[9]],
        **more,
    }
    made.on_trial_result(0, [], trial(number), result)


def checkpoints(folder: RunFolder) -> list[str]:
    found = folder.trials.glob("*/checkpoint_*")
    return sorted(f"{path.parent.name[-1]}/{path.name[-1]}" for path in found)


def test_a_running_trials_checkpoints_are_rays_and_an_ended_one_keeps_its_best(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    for epoch, value in ((1, 0.3), (2, 0.6), (3, 0.5)):
        tell(made, 0, epoch, value)
    (folder.trials / "trial_0000" / "checkpoint_0004").mkdir()  # the worker is an epoch ahead
    assert checkpoints(folder) == ["0/1", "0/2", "0/3", "0/4"]
    best = folder.read_best()
    assert (best["trial"], best["epoch"], best["val_macro_f1"]) == (0, 2, 0.6)
    made.scheduler.stopped[0] = 1
    made.on_trial_complete(0, [], trial(0))
    assert checkpoints(folder) == ["0/2"]
    assert (folder.root / best["checkpoint"]).is_dir()
    assert made.record.trials[0].stopped_by == "asha"


def test_only_the_best_ended_trials_keep_a_checkpoint(folder):
    made = recorder(folder)
    for number, value in enumerate((0.5, 0.2, 0.6, 0.4, 0.7)):
        made.on_trial_start(0, [], trial(number))
        tell(made, number, 4, value)
        made.on_trial_complete(0, [], trial(number))
    assert checkpoints(folder) == ["0/4", "2/4", "4/4"]
    assert folder.read_best()["trial"] == 4
    assert {t.status for t in made.record.trials.values()} == {"finished"}


def test_a_resumed_trials_earlier_epochs_are_written_once(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    for epoch in (1, 2, 1, 2, 3):
        tell(made, 0, epoch, 0.1 * epoch)
    events = [event["event"] for event in journal.read(folder.journal)]
    assert events == ["started", "reported", "reported", "reported"]
    reports = [report for _, report in made.record.reports]
    assert [report["epoch"] for report in reports] == [1, 2, 3]
    assert not {"training_iteration", "train_confusion"} & set(reports[0])


def test_best_json_catches_up_with_the_journal_after_a_kill(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    tell(made, 0, 1, 0.3)
    stale = folder.best.read_text()
    tell(made, 0, 2, 0.6)
    folder.best.write_text(stale)  # as if killed between the journal and best.json
    recorder(folder)
    assert folder.read_best()["epoch"] == 2


def test_a_diverged_and_a_failed_trial_say_so(folder):
    made = recorder(folder)
    for number in (0, 1):
        made.on_trial_start(0, [], trial(number))
    tell(made, 0, 2, 0.02, diverged=True)
    made.on_trial_complete(0, [], trial(0))
    error_file = folder.root / "error.txt"
    error_file.write_text("Traceback ...\n  ...\nRuntimeError: no memory\n")
    made.on_trial_error(0, [], trial(1, str(error_file)))
    assert [t.status for t in made.record.trials.values()] == ["diverged", "failed"]
    assert made.record.trials[1].cause == "RuntimeError: no memory"


def test_a_trial_ended_by_the_budget_is_not_ashas(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    tell(made, 0, 2, 0.5)
    made.on_trial_complete(0, [], trial(0))
    assert made.record.trials[0].stopped_by == "budget"
    assert json.loads(folder.best.read_text())["trial"] == 0
