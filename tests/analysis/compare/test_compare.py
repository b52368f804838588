"""`analysis.compare`: a run's arms from its folder to the page, and runs side by side."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.compare.__main__ import compare
from analysis.compare.interventions import compare_arms
from analysis.run.reader import read_run
from tests.helpers.fabricate import CIFAR10, edit_json, fail_all, make_run
from trainables.config import FineTuneConfig
from trainables.errors import UserError

ROOT = Path(__file__).parents[3]
ARMS = {
    "baseline": FineTuneConfig(),
    "hard_mining": FineTuneConfig(hard_mining_share=0.25, pair="cat+dog"),
    "placebo": FineTuneConfig(hard_mining_share=0.25, pair="deer+ship"),
}
SEEDS = (1000, 1001, 1002)
# Pictures of 100 that cat and dog lose to each other, by arm and seed.
CONFUSED = {"baseline": (30, 32, 31), "hard_mining": (20, 21, 22), "placebo": (30, 31, 31)}


def counts(confused: int) -> list[int]:
    confusion = 100 * np.eye(10, dtype=int)
    cat, dog = CIFAR10.index("cat"), CIFAR10.index("dog")
    confusion[cat, cat] = confusion[dog, dog] = 100 - confused
    confusion[cat, dog] = confusion[dog, cat] = confused
    return [int(count) for count in confusion.ravel()]


def make_arms(folder: Path, *, failed: tuple[int, ...] = ()) -> Path:
    """The run of `search.run --around`: two epochs a trial, of which the first is all confused."""
    make_run(folder)
    cells = [(arm, column) for column in range(3) for arm in ARMS]
    epochs = [
        {
            **{"trial": trial, "epoch": epoch, "phase": epoch, "train_loss": 1.0},
            **{"train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.8},
            "val_macro_f1": 0.8,
            "val_confusion": counts(CONFUSED[arm][column] if epoch == 2 else 100),
        }
        for trial, (arm, column) in enumerate(cells)
        for epoch in (1, 2)
    ]
    trials = pd.DataFrame({"trial": range(9), "epochs": 2, "best_epoch": 2, "seconds": 60.0})
    trials["status"] = ["failed" if trial in failed else "finished" for trial in range(9)]
    trials["best_val_macro_f1"] = 0.8
    pd.DataFrame(epochs).to_parquet(folder / "epochs.parquet", index=False)
    trials.to_parquet(folder / "trials.parquet", index=False)
    edit_json(folder / "best.json", trial=3, epoch=2)
    design = {
        **{"around": "runs/laptop", "pair": ["cat", "dog"], "placebo": ["deer", "ship"]},
        **{"source": "--aim", "seeds": list(SEEDS)},
        "arms": {name: config.to_dict() for name, config in ARMS.items()},
    }
    edit_json(folder / "experiment.json", interventions=design)
    return folder


def test_each_trials_last_epoch_counts_for_its_arm_and_seed(tmp_path):
    compared = compare_arms(read_run(make_arms(tmp_path / "cures")))
    rates = {
        arm["arm"]: [arm["figures"][str(seed)]["pair_error_rate"] for seed in SEEDS]
        for arm in compared["arms"]
    }
    assert rates == {arm: [n / 100 for n in numbers] for arm, numbers in CONFUSED.items()}
    assert compared["num_images"] == 1_000
    arm = compared["arms"][1]
    assert arm["changes"] == {"hard_mining_share": 0.25, "pair": "cat+dog"}
    assert arm["pair"]["value"] == pytest.approx(-0.10)
    assert arm["verdict"] == "WORKS"
    assert arm["training_minutes"] == 1


def test_a_training_that_failed_takes_its_seed_out(tmp_path):
    compared = compare_arms(read_run(make_arms(tmp_path / "cures", failed=(1,))))
    assert compared["arms"][1]["num_seeds"] == 2
    compared = compare_arms(read_run(make_arms(tmp_path / "more", failed=(1, 3))))
    assert compared["arms"][1]["verdict"] == "NOT TESTED"


def test_the_verdict_is_printed_written_and_drawn(tmp_path):
    folder = make_arms(tmp_path / "cures")
    told = compare([folder], "python -m analysis.compare runs/cures")
    row = next(line for line in told if line.startswith("  hard_mining"))
    assert row.split()[-1] == "WORKS"
    assert "31.0 (n 3)" in next(line for line in told if line.startswith("  baseline"))
    assert any("Confusions of cat and dog changed by -10.0 points" in line for line in told)
    written = json.loads((folder / "compare.json").read_text())
    assert written["format_version"] == 1
    assert [arm["arm"] for arm in written["arms"]] == list(ARMS)
    page = (folder / "compare.html").read_text()
    assert page.count("<svg") == 2
    assert "http" not in page.partition("<body")[2].replace("http://www.w3.org", "")
    assert '<td class="word">WORKS</td>' in page
    assert "deer and ship" in page


def test_a_page_of_arms_that_were_not_tested_has_no_figures(tmp_path):
    folder = make_arms(tmp_path / "cures", failed=(0, 3, 6))
    told = compare([folder], "")
    assert any("NOT TESTED" in line for line in told)
    assert "<svg" not in (folder / "compare.html").read_text()


def test_a_run_of_another_space_has_no_arms(tmp_path):
    with pytest.raises(UserError, match="tested no interventions; allowed: one run that"):
        compare([make_run(tmp_path / "plain")], "")


def test_a_table_without_confusions_is_refused(tmp_path):
    folder = make_arms(tmp_path / "cures")
    table = pd.read_parquet(folder / "epochs.parquet").drop(columns="val_confusion")
    table.to_parquet(folder / "epochs.parquet", index=False)
    with pytest.raises(UserError, match=r"lacks val_confusion; allowed: the table that the search"):
        compare([folder], "")


def two_runs(tmp_path: Path) -> list[Path]:
    first = make_run(tmp_path / "one", config=FineTuneConfig(head_lr=0.01))
    second = make_run(tmp_path / "two", config=FineTuneConfig(head_lr=0.02))
    row = {"trial": 3, "mean": 0.9, "sd": 0.01, "figures": [0.9, 0.9], "selected": 0.91}
    confirmation = {
        **{"seeds": [1, 2], "method": {}, "configurations": [row], "comparisons": []},
        **{"tie_set": [3], "winner": 3, "verdict": "trial 3", "optimism": None},
    }
    (second / "confirm.json").write_text(json.dumps(confirmation))
    return [first, second]


def test_runs_stand_side_by_side(tmp_path):
    runs = two_runs(tmp_path)
    told = compare(runs, "")
    lines = {line[:14].strip(): line[14:].split("  ") for line in told if line}
    assert [cell.strip() for cell in lines["confirmed"] if cell.strip()] == [
        "-", "0.900 (sd 0.010, n 2)"
    ]  # fmt: skip
    assert [cell.strip() for cell in lines["head_lr"] if cell.strip()] == ["0.01", "0.02"]
    written = json.loads((runs[0] / "compare-runs.json").read_text())
    assert list(written["settings"]) == ["head_lr"]
    assert written["same_data"]
    assert "no difference is tested" in written["note"]


@pytest.mark.parametrize("what", ["fingerprint", "seed"])
def test_runs_on_other_pictures_do_not_compare(tmp_path, what):
    runs = two_runs(tmp_path)
    if what == "fingerprint":
        edit_json(runs[1] / "experiment.json", data_fingerprint="another")
    else:
        edit_json(runs[1] / "best.json", config=FineTuneConfig(seed=7).to_dict())
    assert compare(runs, "")[-3].startswith("The runs were judged on different pictures")


@pytest.mark.timeout(60)
def test_the_command_line_answers_in_one_line_with_status_2(tmp_path):
    command = [sys.executable, "-m", "analysis.compare"]
    told = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 2
    assert told.stderr.startswith("error: run is ")
    assert told.stderr.count("\n") == 1


def test_a_run_without_a_winner_is_refused(run_folder: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other")
    fail_all(other)
    with pytest.raises(UserError, match=r"other: no trial has finished an epoch; .* leave it out"):
        compare((run_folder, other), "analysis.compare")
