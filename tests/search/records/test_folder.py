"""A run in a store, as the search works on it."""

import uuid
from pathlib import Path

import pytest

from search.records.folder import RunFolder, choose_address, join, opened
from trainables.errors import UserError
from trainables.storage import journal
from trainables.storage import store as stores
from trainables.storage.files import write_json
from trainables.storage.store import Store


@pytest.fixture
def storage(monkeypatch) -> str:
    """Of runs, in this process's memory."""
    monkeypatch.setattr(stores, "SCHEMES", ("s3", "memory"))
    return f"memory://{uuid.uuid4().hex}/runs"


def make_run(address: str) -> None:
    with opened(address) as folder, folder.made_whole() as made:
        write_json(made.experiment, {"format_version": 1, "settings": {}})
        journal.append(made.journal, "test_audited")


def test_a_new_run_appears_whole_and_is_read_elsewhere(storage: str):
    address = choose_address(storage, "", "demo", resume=False)
    assert address == f"{storage}/demo"
    make_run(address)
    assert list(Store(address).sizes())[1:] == ["experiment.json", "journal.jsonl"]
    assert RunFolder.at(address).read_experiment()["format_version"] == 1
    assert choose_address(storage, "", "demo", resume=False) == f"{storage}/demo-2"
    assert choose_address(storage, "demo", "", resume=True) == address


def test_names_are_checked_as_on_a_disk(storage: str):
    make_run(f"{storage}/mine")
    with pytest.raises(UserError, match="exists; allowed: a new name, or --resume"):
        choose_address(storage, "mine", "", resume=False)
    with pytest.raises(UserError, match=r"runs/other does not exist"):
        choose_address(storage, "other", "", resume=True)
    with pytest.raises(UserError, match=rf"^{storage}/other is no run folder \(experiment.json: "):
        RunFolder.at(f"{storage}/other").read_experiment()


def test_workers_and_users_get_addresses_and_not_the_copys_paths(storage: str, tmp_path: Path):
    with opened(f"{storage}/mine") as folder:
        assert folder.is_pulled
        assert folder.address == f"{storage}/mine"
        assert folder.inside("confirm").address == f"{storage}/mine/confirm"
        assert folder.shown(folder.best) == f"{storage}/mine/best.json"
    with opened(tmp_path / "mine") as folder:
        assert not folder.is_pulled
        assert folder.address == folder.shown(folder.root) == str(tmp_path / "mine")
        assert folder.inside("confirm").address == str(tmp_path / "mine" / "confirm")


def test_an_ended_trials_other_checkpoints_go_from_the_store_at_the_end(storage: str):
    address = f"{storage}/mine"
    make_run(address)
    keys = [f"confirm/trials/trial_0003/checkpoint_{epoch:04d}/state.json" for epoch in (1, 2)]
    for key in keys:
        Store(address).put(key, b"")
    with opened(address) as folder:
        folder.inside("confirm").keep_checkpoint("trial_0003", "checkpoint_0002")
    assert list(Store(address).sizes("confirm")) == keys[1:]


def test_places_of_runs():
    assert join("s3://bucket/runs/", "mine") == "s3://bucket/runs/mine"
    assert join("runs", "mine") == str(Path.cwd() / "runs" / "mine")
