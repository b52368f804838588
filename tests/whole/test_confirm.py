"""A real confirmation after a real search, killed in the middle, and the final model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from search.confirm.grid import read_plan
from search.confirm.steps import fresh_pictures
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from trainables.config import FineTuneConfig
from trainables.models.checkpoints import load_checkpoint
from trainables.storage import journal
from trainables.two_phase import fine_tune

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]

SEARCH = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:good_and_bad", "--name", "tiny"),
    *("--train-size", "160", "--val-size", "80", "--batch-size", "32"),
    *("--head-epochs", "1", "--finetune-epochs", "1", "--num-trials", "3"),
]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600
    )


def kill_after_the_first_training(run: RunFolder, *flags: str) -> RunRecord:
    """Begin a confirmation, kill it with all its processes; returns what is on record then."""
    command = [sys.executable, "-m", "search.confirm", str(run.root), *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    path = RunFolder(run.confirm).journal
    deadline = time.monotonic() + 400
    while RunRecord.read(path).num_ended < 1:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return RunRecord.read(path)


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory) -> tuple[RunFolder, RunRecord, str]:
    """The run, what the killed session had done, and what the next one printed."""
    storage = tmp_path_factory.mktemp("runs")
    searched = python("search.run", "--storage", str(storage), *SEARCH)
    assert searched.returncode == 0, searched.stdout + searched.stderr
    run = RunFolder(storage / "tiny")
    before = kill_after_the_first_training(run, "--top", "2", "--seeds", "2")
    told = python("search.confirm", str(run.root))
    assert told.returncode == 0, told.stdout + told.stderr
    return run, before, told.stdout


def test_what_had_ended_is_not_trained_again(confirmed):
    run, before, told = confirmed
    after = RunRecord.read(RunFolder(run.confirm).journal)
    assert after.reports[: len(before.reports)] == before.reports
    assert sorted(after.trials) == [0, 1, 2, 3]
    assert {trial.status for trial in after.trials.values()} == {"finished"}
    events = journal.read(RunFolder(run.confirm).journal)
    ends = [event["trial"] for event in events if event["event"] == "finished"]
    assert sorted(ends) == [0, 1, 2, 3]
    assert f"4 trainings, {before.num_ended} of them done" in told
    assert "Traceback" not in told


def test_confirm_json_holds_the_figures_at_the_searchs_epochs(confirmed):
    run, _, told = confirmed
    result = json.loads(run.confirmation.read_text())
    searched = pd.read_parquet(run.trials_table).set_index("trial")
    fresh = pd.read_parquet(RunFolder(run.confirm).epochs_table)
    for row, configuration in enumerate(result["configurations"]):
        of_search = searched.loc[configuration["trial"]]
        assert configuration["epoch"] == of_search["best_epoch"]
        assert configuration["selected"] == of_search["best_val_macro_f1"]
        for column, figure in enumerate(configuration["figures"]):
            epochs = fresh[fresh["trial"] == row + 2 * column]
            assert epochs["epoch"].tolist() == [*range(1, configuration["epoch"] + 1)]
            assert epochs["val_macro_f1"].iloc[-1] == figure
    assert result["winner"] in result["tie_set"]
    assert f"verdict      {result['verdict']}" in told


@pytest.mark.timeout(120)
def test_a_training_alone_with_the_same_seed_gives_the_same_figure(confirmed):
    """So a trial did train on the split, the views and the batches of its own seed."""
    run, _, _ = confirmed
    settings = Settings(**run.read_experiment()["settings"])
    plan = read_plan(run.confirm)
    item = list(plan.items())[-1]
    reports = []
    fine_tune(
        FineTuneConfig.from_dict(item["config"]),
        fresh_pictures(settings, item["config"]["seed"]),
        lambda metrics, checkpoint: reports.append(metrics),
        device=torch.device("cpu"),
    )
    recorded = RunRecord.read(RunFolder(run.confirm).journal).trials[item["number"]].reports
    assert [r["val_confusion"] for r in reports] == [r["val_confusion"] for r in recorded]
    assert [r["train_loss"] for r in reports] == pytest.approx([r["train_loss"] for r in recorded])


def test_a_confirmation_keeps_the_winners_checkpoints_and_leaves_the_searchs(confirmed):
    run, _, _ = confirmed
    result = json.loads(run.confirmation.read_text())
    winner = next(c for c in result["configurations"] if c["trial"] == result["winner"])
    kept = {run.root / entry["path"]: entry["seed"] for entry in result["checkpoints"]}
    assert set(run.confirm.glob("trials/*/checkpoint_*/")) == set(kept)
    assert sorted(kept.values()) == result["seeds"]
    for path, seed in kept.items():
        saved = load_checkpoint(path)
        assert saved.config.seed == seed
        assert len(saved.history) == winner["epoch"]
        figure = winner["figures"][result["seeds"].index(seed)]
        assert saved.history[-1]["val_macro_f1"] == pytest.approx(figure)
    assert (run.root / run.read_best()["checkpoint"]).is_dir()
    assert not RunFolder(run.confirm).best.exists()


def test_once_more_prints_the_result_and_other_numbers_are_refused(confirmed):
    run, _, told = confirmed
    before = run.journal.read_bytes()
    again = python("search.confirm", str(run.root), "--seeds", "2")
    assert again.returncode == 0, again.stderr
    assert "cluster" not in again.stdout
    assert (
        again.stdout.partition("validation macro-F1")[2]
        == (told.partition("validation macro-F1")[2])
    )
    other = python("search.confirm", str(run.root), "--seeds", "3")
    assert other.returncode == 2
    assert other.stderr.startswith("error: --seeds is 3, but")
    assert run.journal.read_bytes() == before


def test_the_final_model_is_trained_on_all_pictures_and_exported_without_a_figure(confirmed):
    run, _, _ = confirmed
    told = python("search.confirm", str(run.root), "--final")
    assert told.returncode == 0, told.stdout + told.stderr
    final, result = run.read_final(), json.loads(run.confirmation.read_text())
    winner = next(c for c in result["configurations"] if c["trial"] == result["winner"])
    assert final["num_images"] == 240
    saved = load_checkpoint(run.root / final["checkpoint"])
    assert len(saved.history) == final["epoch"] == winner["epoch"]
    kept = {n: v for n, v in saved.config.to_dict().items() if n not in ("last_epoch",)}
    assert kept == {n: v for n, v in winner["config"].items() if n not in ("last_epoch",)}
    assert not any(name.startswith("val_") for name in final)
    assert "val_" not in RunFolder(run.root / "final").journal.read_text()

    once_more = python("search.confirm", str(run.root), "--final")
    assert "cluster" not in once_more.stdout
    exported = python("search.export", str(run.root), "--final")
    assert exported.returncode == 0, exported.stderr
    config = json.loads((run.export_final / "config.json").read_text())
    assert config["provenance"]["trial"] == result["winner"]
    assert "Nothing was held out" in config["provenance"]["note"]
    assert not any(name.startswith("val_") for name in config["provenance"])


def test_nobody_has_opened_the_sealed_test(confirmed):
    run, _, _ = confirmed
    journals = list(run.root.rglob("journal.jsonl"))
    assert {RunFolder(path.parent).root.name for path in journals} >= {"tiny", "confirm"}
    events = [event["event"] for path in journals for event in journal.read(path)]
    assert "test_opened" not in events
    assert events.count("test_audited") == 1  # by a process of its own, before the search
