"""Which checkpoint a trial goes on from, and which ones it keeps."""

import errno
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from trainables.config import FineTuneConfig
from trainables.models.checkpoint_folders import drop_old, folder_name, newest_readable, store
from trainables.models.checkpoints import Checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trial's folder with three whole checkpoints."""
    for epoch in (1, 2, 3):
        store(made_after(epoch), tmp_path, epoch)
    return tmp_path


def made_after(epoch: int) -> Checkpoint:
    return Checkpoint(
        config=FineTuneConfig(),
        class_names=("a", "b"),
        base_px=32,
        weights_id="none",
        history=[{"epoch": epoch}],
        model={},
        average={},
        num_averaged=0,
        optimizer={"state": {}, "param_groups": []},
        schedule={},
        val_predictions=torch.zeros(epoch, 3, dtype=torch.int16),
        pretrained={},
    )


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    if how == "cut":
        path.write_bytes(content[:middle])
    elif how == "flipped":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        path.unlink()


def test_the_newest_one(folder: Path):
    assert newest_readable(folder) == (folder / "checkpoint_0003", [])


@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
@pytest.mark.parametrize("file", ["state.safetensors", "state.json", "SHA256SUMS"])
def test_a_damaged_one_is_passed_over_and_told(folder: Path, file: str, how: str):
    damage(folder / "checkpoint_0003" / file, how)
    path, refused = newest_readable(folder)
    assert path == folder / "checkpoint_0002"
    assert len(refused) == 1
    assert refused[0].startswith("checkpoint_0003 is passed over: ")


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_a_checkpoint_can_be_checked_by_hand(folder: Path):
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert not subprocess.run(check, cwd=folder / "checkpoint_0003", capture_output=True).returncode


def test_a_trial_without_a_readable_checkpoint_starts_anew(folder: Path, tmp_path: Path):
    for epoch in (1, 2, 3):
        damage(folder / folder_name(epoch) / "state.json", "cut")
    path, refused = newest_readable(folder)
    assert (path, len(refused)) == (None, 3)
    assert newest_readable(tmp_path / "not there yet") == (None, [])


def test_a_write_that_fails_leaves_what_was_there(folder: Path, monkeypatch):
    def no_room(checkpoint: Checkpoint, path: Path) -> None:
        (path / "state.json").write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(Checkpoint, "save", no_room)
    with pytest.raises(OSError, match="No space left"):
        store(made_after(4), folder, 4)
    assert sorted(folder.rglob("*")) == before


def test_what_a_killed_writer_left_is_in_nobodys_way(folder: Path):
    (folder / ".checkpoint_0004").mkdir()
    (folder / ".checkpoint_0004" / "state.json").write_text("{")
    assert newest_readable(folder) == (folder / "checkpoint_0003", [])
    store(made_after(4), folder, 4)
    assert newest_readable(folder) == (folder / "checkpoint_0004", [])
    assert not (folder / ".checkpoint_0004").exists()


def test_a_damaged_one_is_replaced_when_its_epoch_is_trained_again(folder: Path):
    damage(folder / "checkpoint_0003" / "state.json", "cut")
    store(made_after(3), folder, 3)
    assert newest_readable(folder) == (folder / "checkpoint_0003", [])


def test_the_best_two_and_the_newest_two_stay(tmp_path: Path):
    values = {1: 0.9, 2: 0.8, 3: 0.7, 4: 0.6, 5: 0.5, 6: 0.4, 7: 0.3}
    for epoch in values:
        (tmp_path / folder_name(epoch)).mkdir()
    (tmp_path / "events.out.tfevents").touch()
    drop_old(tmp_path, values)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [*(folder_name(epoch) for epoch in (1, 2, 6, 7)), "events.out.tfevents"]
