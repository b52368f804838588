"""What is written down, and which checkpoints stay, with trials made by hand."""

import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ray.tune.execution.tune_controller import TuneController

from search.records.disk import occupied_bytes
from search.records.folder import RunFolder
from search.records.record import Listener, RunLog, RunRecord
from search.tuning.recorder import Recorder
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule
from search.tuning.stopping import SessionStopper
from trainables.config import FineTuneConfig
from trainables.storage import journal

CONFIG = FineTuneConfig(head_epochs=1, finetune_epochs=3).to_dict()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def recorder(folder: RunFolder, **settings: Any) -> Recorder:
    rungs = Rungs(grace_epochs=1, reduction_factor=3, max_epochs=3)
    made = Recorder(
        folder, RunLog(folder.journal), SessionStopper(), rule=StoppingRule(rungs), **settings
    )
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
    made._rule.stopped[0] = 1
    made.on_trial_complete(0, [], trial(0))
    assert checkpoints(folder) == ["0/2"]
    assert (folder.root / best["checkpoint"]).is_dir()
    assert (made.record.trials[0].status, made.record.trials[0].rung) == ("stopped", 1)


def test_only_the_best_ended_trials_keep_a_checkpoint(folder):
    made = recorder(folder)
    for number, value in enumerate((0.5, 0.2, 0.6, 0.4, 0.7)):
        made.on_trial_start(0, [], trial(number))
        tell(made, number, 4, value)
        made.on_trial_complete(0, [], trial(number))
    assert checkpoints(folder) == ["0/4", "2/4", "4/4"]
    assert folder.read_best()["trial"] == 4
    assert {t.status for t in made.record.trials.values()} == {"finished"}


def test_where_nothing_is_selected_the_last_checkpoint_stays_and_there_is_no_best_json(folder):
    made = recorder(folder, kept_trials=2, selects=False)
    for number in (0, 1):
        made.on_trial_start(0, [], trial(number))
        for epoch, value in ((2, 0.9), (4, 0.5)):
            tell(made, number, epoch, value)
        made.on_trial_complete(0, [], trial(number))
    assert checkpoints(folder) == ["0/4", "1/4"]
    assert not folder.best.exists()


def test_without_validation_on_record_the_last_checkpoint_is_kept(folder):
    fields = ("epoch", "phase", "train_loss", "epoch_seconds", "finished")
    made = recorder(folder, kept_trials=1, report_fields=fields)
    made.on_trial_start(0, [], trial(0))
    for epoch, value in ((1, 0.9), (2, 0.6), (4, 0.5)):
        tell(made, 0, epoch, value)
    made.on_trial_complete(0, [], trial(0))
    assert checkpoints(folder) == ["0/4"]
    assert not folder.best.exists()
    assert "val_" not in folder.journal.read_text()
    recorder(folder, kept_trials=1, report_fields=fields)  # after a kill: nothing to bring up


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


class Notes(Listener):
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_note(self, record: RunRecord, text: str) -> None:
        self.told.append(text)


def test_a_trial_whose_driver_died_is_started_again_and_the_journal_says_why(folder):
    notes = Notes()
    made = recorder(folder, listeners=(notes,))
    made.on_trial_start(0, [], trial(0))
    error_file = folder.root / "error.txt"
    error_file.write_text("Failure # 1\nray.exceptions.ActorDiedError: killed\n")
    made.on_trial_recover(0, [], trial(0, str(error_file)))
    made.on_trial_start(0, [], trial(0))
    events = journal.read(folder.journal)
    assert [event["event"] for event in events] == ["started", "interrupted", "resumed"]
    assert events[1]["cause"] == "ray.exceptions.ActorDiedError: killed"
    assert notes.told == ["trial 0 is started again: ray.exceptions.ActorDiedError: killed"]


def test_a_trial_whose_driver_died_before_it_began_has_failed(folder):
    made = recorder(folder)
    made.on_trial_error(0, [], trial(0))
    assert [(t.number, t.status) for t in made.record.trials.values()] == [(0, "failed")]


def test_a_trial_that_tells_its_fault_has_failed(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    failure = {"kind": "out_of_memory", "cause": "OutOfMemoryError: 90 GiB"}
    made.on_trial_result(0, [], trial(0), {"failure": failure})
    made.on_trial_complete(0, [], trial(0))
    (told,) = made.record.trials.values()
    assert (told.status, told.kind, told.cause) == ("failed", *failure.values())


def test_a_checkpoint_that_was_passed_over_is_told(folder):
    heard: list[str] = []

    class Notes(Listener):
        def on_note(self, record: RunRecord, text: str) -> None:
            heard.append(text)

    made = recorder(folder, listeners=(Notes(),))
    made.on_trial_start(0, [], trial(0))
    tell(made, 0, 1, 0.3, refused_checkpoints=["checkpoint_0002 is passed over: cut"])
    assert heard == ["trial 0: checkpoint_0002 is passed over: cut"]
    events = [event["event"] for event in journal.read(folder.journal)]
    assert events == ["started", "checkpoint_refused", "reported"]


def test_a_halted_trial_stays_running_to_be_resumed(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    tell(made, 0, 2, 0.5)
    made.stopper.stop("the time is up")
    made.on_trial_complete(0, [], trial(0))  # Tune stops what runs
    assert made.record.trials[0].status == "running"
    assert journal.read(folder.journal)[-1]["event"] == "reported"
    assert json.loads(folder.best.read_text())["trial"] == 0


def test_a_full_disk_halts_the_run(folder, monkeypatch):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("trainables.storage.journal.os.write", full)
    tell(made, 0, 1, 0.3)
    assert made.stopper.is_fault
    assert "cannot be written (No space left on device); free some space" in made.stopper.reason
    monkeypatch.undo()
    assert RunRecord.read(folder.journal).reports == []


def test_a_trials_own_full_disk_halts_the_run_and_not_the_trial(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    failure = {"kind": "disk_full", "cause": "OSError: No space left on device"}
    made.on_trial_result(0, [], trial(0), {"failure": failure})
    made.on_trial_complete(0, [], trial(0))
    assert made.stopper.is_fault
    assert made.record.trials[0].status == "running"


def test_a_store_that_is_lost_halts_the_run_and_leaves_the_trial_to_be_resumed(folder):
    made = recorder(folder)
    made.on_trial_start(0, [], trial(0))
    failure = {"kind": "store_lost", "cause": "StoreError: s3://runs/x cannot be used (gone)"}
    made.on_trial_result(0, [], trial(0), {"failure": failure})
    made.on_trial_complete(0, [], trial(0))
    assert (made.stopper.reason, made.stopper.is_fault) == (failure["cause"], True)
    assert made.record.trials[0].status == "running"


def test_the_quota_spares_the_best_checkpoint_and_then_halts(folder):
    made = recorder(folder)
    for number, value in enumerate((0.5, 0.6, 0.4)):
        made.on_trial_start(0, [], trial(number))
        tell(made, number, 4, value)
        path = folder.trials / f"trial_{number:04d}" / "checkpoint_0004" / "state.safetensors"
        path.write_bytes(b"x" * 50_000)
        made.on_trial_complete(0, [], trial(number))
    assert checkpoints(folder) == ["0/4", "1/4", "2/4"]
    made._quota_bytes = occupied_bytes(folder.root) - 50_000
    made.on_trial_start(0, [], trial(3))
    tell(made, 3, 1, 0.1)
    assert (made.stopper.reason, checkpoints(folder)) == (None, ["1/4", "3/1"])
    (folder.trials / "trial_0003" / "checkpoint_0001" / "big").write_bytes(b"x" * 100_000)
    tell(made, 3, 2, 0.1)
    assert checkpoints(folder) == ["1/4", "3/1", "3/2"]
    assert "more than --disk-quota" in made.stopper.reason


def test_what_asha_spared_is_in_the_journal(folder):
    rungs = Rungs(grace_epochs=1, reduction_factor=3, max_epochs=3)
    rule = StoppingRule(rungs, spared_share=1.0)
    made = Recorder(folder, RunLog(folder.journal), SessionStopper(), rule=rule)
    for number, value in enumerate((0.8, 0.3)):
        made.on_trial_start(0, [], trial(number))
        rule.stops(number, {"phase2_epoch": 1, "val_macro_f1": value})
        tell(made, number, 2, value, phase2_epoch=1)
    assert [t.spared_at for t in made.record.trials.values()] == [None, 1]


def test_tune_calls_the_scheduler_before_the_recorder_which_reads_its_decisions(folder):
    rule = StoppingRule(Rungs(grace_epochs=1, reduction_factor=3, max_epochs=3))
    made = Recorder(folder, RunLog(folder.journal), SessionStopper(), rule=rule)
    tune = MagicMock(_callbacks=made, _scheduler_alg=PhaseAlignedASHA(rule), _total_time=0.0)
    tune._stopper.return_value = False
    for number, value in enumerate((0.8, 0.3)):
        made.on_trial_start(0, [], trial(number))
        reporting = MagicMock(config=trial(number).config, trial_id=str(number), is_saving=False)
        reporting.should_stop.return_value = False
        report = {"epoch": 2, "phase2_epoch": 1, "val_macro_f1": value, "val_accuracy": value}
        report |= {"phase": 2, "epoch_seconds": 1.0}
        decision = TuneController._process_trial_result(tune, reporting, report)
        if decision == PhaseAlignedASHA.STOP:
            made.on_trial_complete(0, [], trial(number))
    event = [event for event in journal.read(folder.journal) if event["event"] == "stopped"]
    assert [(e["trial"], e["by"], e["rung"], e["epoch"]) for e in event] == [(1, "asha", 1, 2)]
