"""A trial's checkpoints in a store, as its workers see them."""

from pathlib import Path

import pytest

from tests.trainables.models.test_checkpoint_folders import damage, made_after
from trainables.models.checkpoint_folders import (
    drop_old,
    folder_name,
    newest_readable,
    open_trial_folder,
)
from trainables.models.checkpoint_folders import store as save
from trainables.storage.store import Store


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
