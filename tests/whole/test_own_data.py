"""Three classes of odd pictures without a test folder: search, export, predict, report."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.pictures import odd_picture, write_odd_folder

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(450)]
CLASSES = {"cup": 60, "newt": 50, "pond": 40}


def run(module: str, *arguments: str, status: int = 0) -> subprocess.CompletedProcess:
    told = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert told.returncode == status, told.stdout + told.stderr
    return told


def test_from_a_folder_to_a_report(tmp_path: Path):
    folder, runs = tmp_path / "pictures", tmp_path / "runs"
    write_odd_folder(folder / "train", CLASSES, seed=0)
    settings = [
        *("--preset", "demo", "--data", f"imagefolder:{folder}", "--held-out", "0.2"),
        *("--storage", str(runs), "--name", "own", "--train-size", "80", "--val-size", "36"),
        *("--batch-size", "16", "--base-px", "40", "--resolution", "32", "--num-trials", "2"),
        *("--head-epochs", "1", "--finetune-epochs", "1", "--space", "full"),
    ]
    refused = run("search.run", *settings, "--organic", "newt,toad", status=2)
    assert "--organic: class 'toad' is unknown; allowed: classes of" in refused.stderr
    assert not (runs / "own").exists()

    told = run("search.run", *settings, "--organic", "newt", "--rigid", "cup")
    assert "0.2 of each class" in told.stdout
    experiment = json.loads((runs / "own" / "experiment.json").read_text())
    assert experiment["class_names"] == [*CLASSES]
    assert experiment["data"] | {"held_out": 0.2, "base_px": 40} == experiment["data"]
    assert experiment["base_config"]["organic"] == "newt"

    run("search.export", str(runs / "own"))
    picture = tmp_path / "new.png"
    odd_picture(np.random.default_rng(9), mode="RGBA", size=(70, 45), level=40).save(picture)
    said = run("trainables.predict", str(runs / "own" / "export"), str(picture))
    assert said.stdout.splitlines()[1].split()[0] in CLASSES

    run("analysis.report", str(runs / "own"), "--images-per-class", "3", "--num-resamples", "100")
    report = json.loads((runs / "own" / "report" / "report.json").read_text())
    assert report["confusion"]["num_images"] == 30
    assert [row["kind"] for row in report["per_class"]["classes"]] == ["rigid", "organic", None]
