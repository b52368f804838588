"""A real search, then arms around its winner as Ray trials, then their verdicts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from search.records.folder import RunFolder
from search.records.record import RunRecord

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1500)]

SEARCH = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:good_and_bad", "--name", "tiny"),
    *("--train-size", "160", "--val-size", "80", "--batch-size", "32"),
    *("--head-epochs", "1", "--finetune-epochs", "1", "--num-trials", "1"),
    *("--max-concurrent", str(min(os.cpu_count() or 1, 2))),
]
CURES = ["--space", "interventions", "--aim", "dog,cat", "--seeds", "2", "--arms", "pair_weights"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=1400
    )


@pytest.fixture(scope="module")
def cured(tmp_path_factory) -> tuple[RunFolder, str]:
    """The folder of the arms' run and what it printed."""
    storage = tmp_path_factory.mktemp("runs")
    searched = python("search.run", "--storage", str(storage), *SEARCH)
    assert searched.returncode == 0, searched.stdout + searched.stderr
    told = python("search.run", "--around", str(storage / "tiny"), *CURES)
    assert told.returncode == 0, told.stdout + told.stderr
    return RunFolder(storage / "tiny-cures"), told.stdout


def test_every_arm_is_trained_to_its_end_with_every_seed(cured):
    folder, told = cured
    trials = pd.read_parquet(folder.trials_table)
    assert trials["status"].tolist() == ["finished"] * 6
    assert trials["epochs"].tolist() == [2] * 6
    placebo = "+".join(folder.read_experiment()["interventions"]["placebo"])
    assert trials["config/pair"].tolist() == ["", "cat+dog", placebo] * 2
    assert trials["config/seed"].tolist() == [1000] * 3 + [1001] * 3
    epochs = pd.read_parquet(folder.epochs_table)
    assert epochs["val_confusion"].map(sum).tolist() == [80] * 12
    assert f"verdicts     .venv/bin/python -m analysis.compare {folder.root}" in told
    assert folder.read_experiment()["settings"]["num_trials"] == 6


def test_an_arm_trained_again_alone_gives_the_same_numbers(cured):
    """So it did train on the split, the views and the batches of its own seed."""
    told = python("search.rerun", str(cured[0].root), "4")  # of the second seed
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.splitlines()[-1] == "verdict      identical to the last digit"


def test_the_arms_are_judged_from_the_folder(cured):
    told = python("analysis.compare", str(cured[0].root))
    assert told.returncode == 0, told.stdout + told.stderr
    compared = json.loads((cured[0].root / "compare.json").read_text())
    arms = {arm["arm"]: arm for arm in compared["arms"]}
    assert list(arms) == ["baseline", "pair_weights", "placebo"]
    assert arms["pair_weights"]["num_seeds"] == 2
    assert arms["pair_weights"]["verdict"] in ("WORKS", "DOES NOT WORK", "INCONCLUSIVE")
    assert (cured[0].root / "compare.html").exists()


def test_cut_short_and_resumed_it_trains_the_rest_with_the_same_numbers(cured, tmp_path):
    folder = RunFolder(tmp_path / "tiny-cures")
    shutil.copytree(cured[0].root, folder.root)
    lines = folder.journal.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line).get("trial") != 5]
    folder.journal.write_text("".join(kept))
    shutil.rmtree(folder.trials / "trial_0005")
    told = python("search.run", "--resume", "--storage", str(tmp_path), "--name", "tiny-cures")
    assert told.returncode == 0, told.stdout + told.stderr
    again, before = (RunRecord.read(f.journal) for f in (folder, cured[0]))
    assert again.num_ended == 6
    figures = [r["val_macro_f1"] for r in again.trials[5].reports]
    assert figures == [r["val_macro_f1"] for r in before.trials[5].reports]
