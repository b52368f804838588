"""Input found wrong only when data and machine are looked at: one line, status 2, no trace."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--data", "parquet:/no/such/folder"], "holds no train*.parquet"),
        (["--train-size", "100", "--val-size", "20", "--batch-size", "32"],
         "class airplane has 2 pictures; allowed: at least 5"),
        pytest.param(["--gpus-per-trial", "1"], "wants 1 GPUs, this machine has 0", marks=NO_GPU),
        pytest.param(["--gpus-per-trial", "auto"], "auto x --workers-per-trial 1 wants 1 GPUs",
                     marks=NO_GPU),
    ],
)  # fmt: skip
@pytest.mark.timeout(90)
def test_the_search_says_what_is_wrong_before_ray_starts(flags, told, tmp_path):
    storage = tmp_path / "runs"
    command = [sys.executable, "-m", "search.run", "--preset", "demo", "--storage", str(storage)]
    run = subprocess.run([*command, *flags], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert told in run.stderr
    assert all(line.startswith("error: ") for line in run.stderr.splitlines())
    assert not storage.exists()
