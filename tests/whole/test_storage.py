"""A real search in a bucket (moto on loopback): killed, and gone on with from the bucket alone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

from search.records.record import RunRecord
from tests.helpers.s3 import s3_on_loopback

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(450)]

SETTINGS = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:good_and_bad"),
    *("--train-size", "160", "--val-size", "80", "--batch-size", "32"),
    *("--head-epochs", "1", "--finetune-epochs", "3", "--num-trials", "2"),
    *("--cpus-per-trial", str(os.cpu_count()), "--max-concurrent", "1"),
]
SAME = ["trial", "epoch", "train_loss", "val_loss", "val_macro_f1", "rate/head"]


@pytest.fixture(scope="module")
def s3():
    with s3_on_loopback() as made:
        yield made


def told(module: str, *arguments: str, environment: dict[str, str]) -> str:
    """What a command prints that ends well."""
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_a_search_in_a_bucket_outlives_its_machine(s3, tmp_path, monkeypatch):
    told("search.run", "--storage", str(tmp_path), "--name", "tiny", *SETTINGS, environment={})
    undisturbed = pd.read_parquet(tmp_path / "tiny" / "epochs.parquet")

    # All that the first machine has on disk; a short path, as Ray's sockets need.
    machine = Path(tempfile.mkdtemp(prefix="m"))
    where = ("--storage", "s3://runs/mine", "--name", "tiny")
    process = subprocess.Popen(
        [sys.executable, "-m", "search.run", *where, *SETTINGS],
        cwd=ROOT,
        env=os.environ | s3.environment | {"TMPDIR": str(machine)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while reports_in(machine) < 6:  # trial 1 is in phase 2
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    shutil.rmtree(machine)

    told("search.run", "--resume", *where, environment=s3.environment)
    told("search.replay", "s3://runs/mine/tiny", environment=s3.environment)
    told("search.export", "s3://runs/mine/tiny", environment=s3.environment)
    small = ("--images-per-class", "3", "--num-resamples", "200")
    shown = told("analysis.report", "s3://runs/mine/tiny", *small, environment=s3.environment)
    assert shown.splitlines()[-1] == "s3://runs/mine/tiny/report/index.html"

    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    import fsspec

    bucket = fsspec.filesystem("s3", skip_instance_cache=True)
    bucket.get("runs/mine/tiny/", f"{tmp_path}/again/", recursive=True)
    again = tmp_path / "again"
    epochs = pd.read_parquet(again / "epochs.parquet")
    pd.testing.assert_frame_equal(epochs[SAME], undisturbed[SAME])
    record = RunRecord.read(again / "journal.jsonl")
    assert [trial.ended for trial in record.trials.values()] == [True, True]
    assert "test_opened" in (again / "journal.jsonl").read_text()
    assert (again / "export" / "model.safetensors").exists()
    assert (again / "report" / "index.html").exists()
    assert list((again / "trials").glob("*/events.out.tfevents*"))
    assert not list(again.rglob("*.pkl"))


def reports_in(machine: Path) -> int:
    """Epochs in the journal of the search's working copy."""
    return sum(len(RunRecord.read(path).reports) for path in machine.glob("*/tiny/journal.jsonl"))
