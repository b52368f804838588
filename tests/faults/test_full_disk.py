"""A disk that is full and a quota that is reached halt the run; with more room it goes on."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.faults.harness import Search
from tests.faults.invariants import assert_same_tables, check_record

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, with room for a few checkpoints."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.timeout(600)
def test_a_run_without_room_halts_in_order_and_goes_on_with_more(search, small_disk, undisturbed):
    run = search("--num-trials", "1", "--max-concurrent", "1", storage=small_disk / "runs")

    run.start("--disk-quota", "100MB")
    assert "occupies" in halted(run)
    assert "raise the quota, then go on with --resume --name run" in halted(run)

    epochs = len(run.record.reports)
    enough = ("--disk-quota", "1GB")
    run.start(*enough)
    run.wait(lambda record: len(record.reports) > epochs, seconds=120, what="an epoch")
    filler = small_disk / "filler"
    fill(filler)
    assert "No space left on device" in halted(run)
    assert "free some space, then go on with --resume --name run" in halted(run)

    run.start(*enough)
    assert "No space left on device); free some space" in halted(run)

    filler.unlink()
    run.start(*enough)
    assert run.end() == 0, run.told
    check_record(run, num_trials=1, max_concurrent=1)
    assert_same_tables(run.folder, undisturbed.folder, trials=1)


def halted(run: Search) -> str:
    """The one line that a halted run ends with; its trial can be resumed."""
    assert run.end() == 1, run.told
    assert "Traceback" not in run.told
    assert [trial.status for trial in run.record.trials.values()] == ["running"]
    errors = [line for line in run.told.splitlines() if line.startswith("error: ")]
    assert len(errors) == run.sessions
    return errors[-1]


def fill(path: Path) -> None:
    """Take all the space that is left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(2**20)):
            pass
