"""A folder and its store: what is pushed, in which order, and what is not."""

import os
from pathlib import Path

import pytest

from trainables.storage.mirror import Mirror
from trainables.storage.store import Store, StoreError


@pytest.fixture
def mirror(store: Store, tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "demo", store)


def write(mirror: Mirror, key: str, text: str = "x") -> Path:
    path = mirror.folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def writes(mirror: Mirror, monkeypatch) -> list[str]:
    """What is put and deleted from now on, in order."""
    told: list[str] = []
    put, delete = mirror.store.put, mirror.store.delete

    def noted_put(key, content):
        told.append(key)
        put(key, content)

    def noted_delete(keys):
        keys = sorted(keys)
        told.extend(f"-{key}" for key in keys)
        delete(keys)

    monkeypatch.setattr(mirror.store, "put", noted_put)
    monkeypatch.setattr(mirror.store, "delete", noted_delete)
    return told


def test_what_is_pushed_is_pulled_elsewhere(mirror: Mirror, tmp_path: Path):
    events = "trials/trial_0000/events.out.tfevents.1"
    keys = ["best.json", "export/config.json", "journal.jsonl", events]
    for key in keys:
        write(mirror, key, key)
    mirror.push()
    other = Mirror(tmp_path / "other", mirror.store)
    other.pull()
    assert {key: (other.folder / key).read_text() for key in keys} == {key: key for key in keys}


def test_only_what_has_changed_is_pushed_again(mirror: Mirror, tmp_path: Path, monkeypatch):
    write(mirror, "journal.jsonl")
    write(mirror, "best.json")
    mirror.push()
    told = writes(mirror, monkeypatch)
    mirror.push()
    assert told == []
    with (mirror.folder / "journal.jsonl").open("a") as journal:
        journal.write("y")
    mirror.push()
    assert told == ["journal.jsonl"]
    other = Mirror(tmp_path / "other", mirror.store)
    other.pull()
    told.clear()
    other.push()
    assert told == []


def test_the_journal_goes_last_and_what_is_gone_after_it(mirror: Mirror, monkeypatch):
    gone = write(mirror, "report/old.html")
    write(mirror, "confirm/journal.jsonl")
    mirror.push()
    gone.unlink()
    for key in ("zzz.json", "journal.jsonl", "study.log"):
        write(mirror, key)
    told = writes(mirror, monkeypatch)
    mirror.push()
    assert set(told[:2]) == {"study.log", "zzz.json"}
    assert told[2:] == ["journal.jsonl", "-report/old.html"]


def test_the_journal_is_read_before_all_else(mirror: Mirror, monkeypatch):
    """An event that is written while the rest is pushed stays for the next push."""
    write(mirror, "journal.jsonl", "one\n")
    write(mirror, "study.log", "one\n")
    put = mirror.store.put

    def put_while_the_search_goes_on(key, content):
        if key == "study.log":
            (mirror.folder / "journal.jsonl").write_text("one\ntwo\n")
        put(key, content)

    monkeypatch.setattr(mirror.store, "put", put_while_the_search_goes_on)
    mirror.push()
    assert mirror.store.read("journal.jsonl") == b"one\n"
    mirror.push()
    assert mirror.store.read("journal.jsonl") == b"one\ntwo\n"


@pytest.mark.parametrize(
    "key",
    [
        ".lock",
        ".best.json.x7",
        ".export.ab/export/config.json",
        "trials/tuner.pkl",
        "trials/trial_0000/error.txt",
        "trials/trial_0000/checkpoint_0001/state.json",
        "confirm/trials/experiment_state.json",
    ],
)
def test_what_is_no_record_stays_here(mirror: Mirror, key: str):
    write(mirror, key)
    mirror.push()
    assert mirror.store.sizes() == {}


def test_optunas_lock_stays_here(mirror: Mirror):
    write(mirror, "study.log")
    os.symlink("study.log", mirror.folder / "study.log.lock")
    mirror.push()
    assert list(mirror.store.sizes()) == ["study.log"]


def test_a_file_that_vanishes_meanwhile_is_passed_over(mirror: Mirror, monkeypatch):
    path = write(mirror, "best.json")
    put = mirror.store.put

    def put_too_late(key, content):
        path.unlink()
        put(key, content)

    monkeypatch.setattr(mirror.store, "put", put_too_late)
    mirror.push()
    assert mirror.store.sizes() == {}


def test_of_an_ended_trials_checkpoints_one_stays_once_the_journal_says_so(
    mirror: Mirror, monkeypatch
):
    for epoch in (1, 2, 3):
        mirror.store.put(f"trials/trial_0000/checkpoint_{epoch:04d}/state.json", b"")
    mirror.store.put("trials/trial_0001/checkpoint_0001/state.json", b"")
    write(mirror, "journal.jsonl")
    mirror.keep_checkpoint("trials/trial_0000", "checkpoint_0002")
    told = writes(mirror, monkeypatch)
    mirror.push()
    assert told == [
        "journal.jsonl",
        "-trials/trial_0000/checkpoint_0001/state.json",
        "-trials/trial_0000/checkpoint_0003/state.json",
    ]
    told.clear()
    mirror.keep_checkpoint("trials/trial_0000", "checkpoint_0002")
    mirror.push()
    assert told == []
    mirror.keep_checkpoint("trials/trial_0000", None)
    mirror.push()
    assert list(mirror.store.sizes("trials")) == ["trials/trial_0001/checkpoint_0001/state.json"]


def test_a_push_that_failed_is_made_up_for(mirror: Mirror, faults):
    write(mirror, "best.json")
    write(mirror, "journal.jsonl")
    faults.left, mirror.store.patience_s = 1, 0
    with pytest.raises(StoreError):
        mirror.push()
    assert mirror.store.read("journal.jsonl") is None
    mirror.push()
    assert list(mirror.store.sizes()) == ["best.json", "journal.jsonl"]


def test_one_checkpoint_is_brought(mirror: Mirror):
    mirror.store.put("trials/trial_0000/checkpoint_0001/state.json", b"1")
    mirror.store.put("trials/trial_0000/checkpoint_0002/state.json", b"2")
    mirror.pull()
    assert not mirror.folder.exists()
    mirror.pull_checkpoint("trials/trial_0000/checkpoint_0002")
    found = [path.parent.name for path in mirror.folder.rglob("state.json")]
    assert found == ["checkpoint_0002"]
