"""What a command does with a run in a store, from its beginning to its end."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.errors import UserError
from trainables.storage import mirror as mirrors
from trainables.storage.store import Store, StoreError
from trainables.storage.working_copy import WorkingCopy, fetched, working_copy


@pytest.fixture
def run(uri: str) -> str:
    """A run with a winner."""
    store = Store(uri)
    store.put("experiment.json", b"{}")
    store.put("best.json", json.dumps({"checkpoint": "trials/t/checkpoint_0002"}).encode())
    for epoch in (1, 2):
        store.put(f"trials/t/checkpoint_000{epoch}/state.json", b"{}")
    store.put("journal.jsonl", b"one\n")
    return uri


def work(uri: str, do: Callable[[WorkingCopy], None]) -> WorkingCopy:
    with working_copy(uri) as copy:
        do(copy)
    return copy


def add_a_line(copy: WorkingCopy) -> None:
    with (copy.path / "journal.jsonl").open("a") as journal:
        journal.write("two\n")


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("not within 5 s")


def lose(store: Store, key: str, content: bytes) -> None:
    raise StoreError(f"{store.uri} cannot be used (gone)")


def test_what_the_body_changes_is_in_the_store_and_the_copy_is_gone(run: str):
    with working_copy(run) as copy:
        assert (copy.path.name, copy.address) == ("demo", run)
        assert (copy.path / "trials/t/checkpoint_0002/state.json").exists()
        assert not (copy.path / "trials/t/checkpoint_0001").exists()
        add_a_line(copy)
        assert copy.shown(copy.path / "report" / "index.html") == f"{run}/report/index.html"
        assert copy.shown(copy.path) == run
    assert not copy.path.parent.exists()
    store = Store(run)
    assert store.read("journal.jsonl") == b"one\ntwo\n"
    assert "trials/t/checkpoint_0001/state.json" in store.sizes()


def test_it_is_pushed_while_the_body_works(run: str, monkeypatch):
    monkeypatch.setattr(mirrors, "BEAT_S", 0.01)
    with working_copy(run) as copy:
        add_a_line(copy)
        wait_until(lambda: Store(run).read("journal.jsonl") == b"one\ntwo\n")


def test_a_run_that_was_never_made_leaves_nothing(uri: str):
    def refuse(copy: WorkingCopy) -> None:
        raise UserError("no pictures")

    with pytest.raises(UserError, match="no pictures"):
        work(uri, refuse)
    assert Store(uri).sizes() == {}


def test_an_error_of_the_body_is_pushed_past(run: str):
    def fail(copy: WorkingCopy) -> None:
        add_a_line(copy)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work(run, fail)
    assert Store(run).read("journal.jsonl") == b"one\ntwo\n"
    with working_copy(run):  # the lease was given back
        pass


def test_what_cannot_be_pushed_is_kept_and_told(run: str, monkeypatch, capsys):
    copies: list[WorkingCopy] = []

    def add_and_lose(copy: WorkingCopy) -> None:
        copies.append(copy)
        add_a_line(copy)
        monkeypatch.setattr(Store, "put", lose)

    with pytest.raises(UserError, match=r"cannot be used \(gone\)"):
        work(run, add_and_lose)
    (copy,) = copies
    assert (copy.path / "journal.jsonl").read_text() == "one\ntwo\n"
    assert f"what {run} lacks is kept in {copy.path}" in capsys.readouterr().err
    shutil.rmtree(copy.path.parent)


def test_a_store_that_is_lost_meanwhile_is_told_at_once(run: str, monkeypatch):
    monkeypatch.setattr(mirrors, "BEAT_S", 0.01)
    told: list[str] = []

    def lose_and_wait(copy: WorkingCopy) -> None:
        copy.on_loss = told.append
        monkeypatch.setattr(Store, "put", lose)
        wait_until(lambda: bool(told))

    with pytest.raises(UserError, match="gone"):
        work(run, lose_and_wait)
    assert told == [f"{run} cannot be used (gone)"]


def test_a_copy_to_read_holds_no_lease_and_writes_nothing(run: str):
    before = Store(run).sizes()
    copy = fetched(run)
    assert (copy.path / "journal.jsonl").read_text() == "one\n"
    assert not (copy.path / "trials").exists()
    assert fetched(run) is copy
    assert Store(run).sizes() == before
    assert (fetched(run, checkpoints=True).path / "trials/t/checkpoint_0002").is_dir()


def test_a_folder_is_worked_in_as_it_is(tmp_path: Path):
    with working_copy(str(tmp_path)) as copy:
        assert (copy.path, copy.mirror) == (tmp_path, None)
        assert copy.shown(tmp_path / "x") == str(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    assert fetched(str(tmp_path)).path == tmp_path


@pytest.mark.parametrize("use", [lambda uri: working_copy(uri).__enter__(), fetched])
def test_a_store_that_cannot_be_used_is_one_line(run: str, monkeypatch, use):
    def refuse(store, *arguments):
        raise StoreError(f"{store.uri} cannot be used (Access Denied)")

    monkeypatch.setattr(Store, "put", refuse)
    monkeypatch.setattr(Store, "sizes", refuse)
    fetched.cache_clear()
    with pytest.raises(UserError, match=r"Access Denied\); allowed: a bucket") as refused:
        use(run)
    assert len(refused.value.faults) == 1
