"""Which checkpoint a trial goes on from, and which ones it keeps.

A trial's checkpoints in a store, as its workers see them.
"""

import errno
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from trainables.config import FineTuneConfig
from trainables.models.checkpoint_folders import (
    drop_old,
    folder_name,
    newest_readable,
    open_trial_folder,
    store,
)
from trainables.models.checkpoint_folders import store as save
from trainables.models.checkpoints import Checkpoint
from trainables.storage.store import Store


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


def train(uri: str, *epochs: int) -> None:
    """What a worker does with its folder, epoch after epoch."""
    with open_trial_folder(uri) as folder:
        for epoch in epochs:
            save(made_after(epoch), folder.path, epoch)
            folder.push(folder_name(epoch))


def test_another_node_goes_on_from_the_newest(uri: str):
    train(uri, 1, 2)
    with open_trial_folder(uri) as folder:
        path, refused = newest_readable(folder.path)
        assert (path, refused) == (folder.path / "checkpoint_0002", [])
    assert not folder.path.exists()


def test_what_is_dropped_here_is_dropped_there(uri: str):
    train(uri, 1, 2)
    values = {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.5}
    with open_trial_folder(uri) as folder:
        for epoch in (3, 4, 5):
            save(made_after(epoch), folder.path, epoch)
            drop_old(folder.path, {n: values[n] for n in range(1, epoch + 1)})
            folder.push(folder_name(epoch))
    kept = {key.partition("/")[0] for key in Store(uri).sizes()}
    assert kept == {"checkpoint_0004", "checkpoint_0005"}


@pytest.mark.parametrize("uploaded", [1, 2])
def test_an_upload_that_was_cut_never_was(uri: str, monkeypatch, uploaded: int):
    train(uri, 1)
    put, count = Store.put, [0]

    def put_some(store, key, content):
        if count[0] == uploaded:
            raise KeyboardInterrupt
        count[0] += 1
        put(store, key, content)

    monkeypatch.setattr(Store, "put", put_some)
    with pytest.raises(KeyboardInterrupt):
        train(uri, 2)
    monkeypatch.undo()
    with open_trial_folder(uri) as folder:
        assert newest_readable(folder.path) == (folder.path / "checkpoint_0001", [])
    train(uri, 2)
    with open_trial_folder(uri) as folder:
        assert newest_readable(folder.path) == (folder.path / "checkpoint_0002", [])


def test_one_damaged_in_the_store_is_told_passed_over_and_replaced(uri: str):
    train(uri, 1, 2)
    store = Store(uri)
    store.put("checkpoint_0002/state.json", b"{")
    with open_trial_folder(uri) as folder:
        path, refused = newest_readable(folder.path)
        assert path == folder.path / "checkpoint_0001"
        assert refused[0].startswith("checkpoint_0002 is passed over: ")
        save(made_after(2), folder.path, 2)
        folder.push("checkpoint_0002")
    with open_trial_folder(uri) as folder:
        assert newest_readable(folder.path) == (folder.path / "checkpoint_0002", [])


def test_a_folder_is_worked_in_as_it_is(tmp_path: Path):
    train(str(tmp_path / "trial"), 1)
    assert newest_readable(tmp_path / "trial") == (tmp_path / "trial" / "checkpoint_0001", [])
    damage(tmp_path / "trial" / "checkpoint_0001" / "state.json", "cut")
    with open_trial_folder(str(tmp_path / "trial")) as folder:
        assert folder.path == tmp_path / "trial"
