"""A real search, as a user starts it: Ray, Optuna, ASHA, TensorBoard, export, report."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from optuna.trial import TrialState
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.tuning.study import open_study
from trainables.models.checkpoints import load_checkpoint
from trainables.storage import journal

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.ray, pytest.mark.timeout(450)]

SETTINGS = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:good_and_bad"),
    *("--train-size", "160", "--val-size", "80", "--batch-size", "32"),
    *("--head-epochs", "1", "--finetune-epochs", "3", "--num-trials", "3"),
    # One trial at a time on all cores: the next one starts only if a stopped one has let go of
    # its workers (trap 1: Ray Train keeps them for ever where there is no dashboard).
    *("--cpus-per-trial", str(os.cpu_count()), "--max-concurrent", "1"),
]


def command(storage: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "search.run", "--storage", str(storage), "--name", "tiny", *more]


def run(arguments: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[RunFolder, str]:
    """A whole search's run folder and what it printed."""
    storage = tmp_path_factory.mktemp("runs")
    told = run(command(storage, *SETTINGS))
    assert told.returncode == 0, told.stdout + told.stderr
    return RunFolder(storage / "tiny"), told.stdout


def test_asha_stops_the_weak_and_the_rest_finish(finished):
    trials = pd.read_parquet(finished[0].trials_table)
    assert trials["status"].tolist() == ["finished", "stopped", "finished"]
    assert trials["rung"].iloc[1] == 1
    assert trials["epochs"].tolist() == [4, 2, 4]


def test_optuna_knows_the_truth(finished):
    states = [trial.state for trial in open_study(finished[0].study).trials]
    expected = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    assert states == expected


def test_best_json_is_one_epoch_whose_checkpoint_is_there(finished):
    folder, _ = finished
    best, epochs = folder.read_best(), pd.read_parquet(folder.epochs_table)
    top = epochs.loc[epochs["val_macro_f1"].idxmax()]
    assert (best["trial"], best["epoch"]) == (top["trial"], top["epoch"])
    saved = load_checkpoint(folder.root / best["checkpoint"])
    assert len(saved.history) == best["epoch"]
    assert saved.history[-1]["val_macro_f1"] == best["val_macro_f1"]
    assert saved.config.to_dict() == best["config"]


def test_what_ended_badly_keeps_no_checkpoint_and_the_best_keep_one(finished):
    kept = sorted(path.parent.name for path in finished[0].trials.glob("*/checkpoint_*/"))
    assert kept.count("trial_0000") == kept.count("trial_0002") == 1
    assert len(kept) <= 3


def test_the_journal_tells_all_and_the_experiment_how_to_repeat_it(finished):
    folder, _ = finished
    record = RunRecord.read(folder.journal)
    assert [trial.ended for trial in record.trials.values()] == [True] * 3
    assert "test_opened" not in [event["event"] for event in journal.read(folder.journal)]
    experiment = folder.read_experiment()
    assert experiment["settings"]["seed"] == experiment["seed"] == 0
    assert {"data_fingerprint", "git_commit", "versions", "hardware", "command"} <= set(experiment)
    assert json.loads(folder.audit.read_text())["faults"] == []


def test_the_terminal_shows_a_line_an_epoch_and_where_things_are(finished):
    folder, told = finished
    lines = told.splitlines()
    header = next(line for line in lines if line.split()[:2] == ["elapsed", "trial"])
    column = header.index("best F1 so far")
    epochs = [line for line in lines if " finetune " in line or " head " in line]
    assert len([line for line in epochs if line[column:].startswith("0.")]) == 10
    assert "stopped by ASHA after 1 fine-tune epoch," in told
    assert f"report       .venv/bin/python -m analysis.report {folder.root}" in told
    assert "Traceback" not in told


def test_the_search_can_be_replayed(finished):
    told = run([sys.executable, "-m", "search.replay", str(finished[0].root)])
    assert told.returncode == 0, told.stdout + told.stderr
    assert "every decision of the recorded search was made again" in told.stdout


def test_tensorboard_has_every_trials_scalars_by_epoch(finished):
    for number, epochs in enumerate((4, 2, 4)):
        events = EventAccumulator(str(finished[0].trials / f"trial_{number:04d}")).Reload()
        steps = [event.step for event in events.Scalars("val/macro_f1")]
        assert steps == list(range(1, epochs + 1))
        assert events.Scalars("rate/backbone")[0].step == 2
        best = [event.value for event in events.Scalars("val/best_macro_f1")]
        assert best == sorted(best)
        assert "_hparams_/session_start_info" in events.PluginTagToContent("hparams")


def test_the_export_predicts_the_same_in_a_fresh_process(finished):
    folder, _ = finished
    told = run([sys.executable, "-m", "search.export", str(folder.root)])
    assert told.returncode == 0, told.stderr
    assert "same classes" in told.stdout
    config = json.loads((folder.export / "config.json").read_text())
    assert config["labels"][0] == "airplane"
    assert config["preprocessing"]["resolution_px"] == 32


def test_the_report_opens_the_sealed_test_and_says_so(finished):
    folder, _ = finished
    small = ("--images-per-class", "3", "--num-resamples", "200")
    told = run([sys.executable, "-m", "analysis.report", str(folder.root), *small])
    assert told.returncode == 0, told.stderr
    page = (folder.root / "report" / "index.html").read_text()
    assert "http" not in page.partition("<body")[2].replace("http://www.w3.org", "")
    opened = [event for event in journal.read(folder.journal) if event["event"] == "test_opened"]
    assert [event["by"] for event in opened] == ["analysis.report"]


def rerun(folder: RunFolder, *more: str) -> subprocess.CompletedProcess:
    return run([sys.executable, "-m", "search.rerun", str(folder.root), *more])


def test_a_trial_trained_again_alone_gives_the_same_numbers(finished):
    told = rerun(finished[0], "0")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.splitlines()[-1] == "verdict      identical to the last digit"


def test_a_record_that_was_touched_is_found_out(finished, tmp_path):
    folder = RunFolder(tmp_path / "touched")
    folder.root.mkdir()
    shutil.copy(finished[0].experiment, folder.experiment)
    for event in journal.read(finished[0].journal):
        if event["event"] == "reported" and event["report"]["epoch"] == 2:
            event["report"]["val_loss"] += 1e-9
        journal.append(folder.journal, **{k: v for k, v in event.items() if k != "time"})
    told = rerun(folder, "1")  # the one that was stopped, after two epochs
    assert told.returncode == 1, told.stdout + told.stderr
    assert "verdict      differs by up to 1.0e-09, from epoch 2 on" in told.stdout


@pytest.mark.slow
def test_a_search_killed_in_the_middle_resumes_and_loses_nothing(finished, tmp_path):
    undisturbed = pd.read_parquet(finished[0].epochs_table)
    process = subprocess.Popen(
        command(tmp_path, *SETTINGS), cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    folder = RunFolder(tmp_path / "tiny")
    deadline = time.monotonic() + 300
    while len(RunRecord.read(folder.journal).reports) < 8:  # trial 2 is in phase 2
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = RunRecord.read(folder.journal)

    told = run(command(tmp_path, "--resume"))
    assert told.returncode == 0, told.stdout + told.stderr
    after = RunRecord.read(folder.journal)
    assert after.reports[: len(before.reports)] == before.reports
    epochs = pd.read_parquet(folder.epochs_table)
    same = ["trial", "epoch", "train_loss", "val_loss", "val_macro_f1", "rate/head"]
    pd.testing.assert_frame_equal(epochs[same], undisturbed[same])


def test_a_finished_run_resumed_does_nothing(finished, tmp_path):
    shutil.copytree(finished[0].root, tmp_path / "tiny")
    told = run(command(tmp_path, "--resume"))
    assert told.returncode == 0, told.stdout + told.stderr
    assert len(RunRecord.read(tmp_path / "tiny" / "journal.jsonl").reports) == 10
