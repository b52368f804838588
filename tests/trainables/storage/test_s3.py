"""The same on S3 itself (moto on loopback): what only a real protocol can show."""

import shutil
from pathlib import Path

import pytest

from tests.helpers.s3 import BUCKET, LoopbackS3, s3_on_loopback
from trainables.errors import UserError
from trainables.models.checkpoint_folders import open_trial_folder
from trainables.storage.lease import Lease
from trainables.storage.mirror import Mirror
from trainables.storage.store import Store, StoreError
from trainables.storage.working_copy import check_writable, fetched, working_copy


@pytest.fixture(scope="module")
def server():
    with s3_on_loopback() as made:
        yield made


@pytest.fixture
def s3(server: LoopbackS3, monkeypatch) -> LoopbackS3:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.requests.clear()
    return server


def test_objects(s3: LoopbackS3, tmp_path: Path):
    store = Store(f"s3://{BUCKET}/objects/a run")
    (tmp_path / "file").write_bytes(b"from a file")
    store.put("a/b", b"12345")
    store.put("c", tmp_path / "file")
    assert store.sizes() == {"a/b": 5, "c": 11}
    assert (store.read("c"), store.read("d")) == (b"from a file", None)
    assert (store.exists("a/b"), store.exists("a")) == (True, True)
    store.get("c", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == b"from a file"
    with pytest.raises(FileNotFoundError):
        store.get("d", tmp_path / "d")
    store.delete(["a/b", "never/there"])
    assert store.sizes() == {"c": 11}
    assert s3.requests["PUT"] == 2  # one an object


def test_of_two_who_create_one_does(s3: LoopbackS3):
    store = Store(f"s3://{BUCKET}/created")
    assert store.create("lock", b"first")
    assert not store.create("lock", b"second")
    assert store.read("lock") == b"first"


def test_one_writer_at_a_time(s3: LoopbackS3):
    first, second = (Lease(Store(f"s3://{BUCKET}/leased")) for _ in range(2))
    first.acquire()
    first.beat()
    first.give_back()
    second.acquire()
    with pytest.raises(StoreError, match="taken over"):
        first.beat()


def test_a_push_costs_a_put_for_each_file_that_has_changed(s3: LoopbackS3, tmp_path: Path):
    mirror = Mirror(tmp_path, Store(f"s3://{BUCKET}/pushed"))
    for name in ("journal.jsonl", "study.log", "best.json"):
        (tmp_path / name).write_text("x")
    mirror.push()
    assert dict(s3.requests) == {"PUT": 3}
    mirror.push()
    assert dict(s3.requests) == {"PUT": 3}


def test_what_an_epochs_checkpoint_costs(s3: LoopbackS3):
    with open_trial_folder(f"s3://{BUCKET}/trial") as folder:
        s3.requests.clear()
        for epoch in (1, 2):
            made = folder.path / f"checkpoint_{epoch:04d}"
            made.mkdir()
            for name in ("state.safetensors", "state.json", "SHA256SUMS"):
                (made / name).write_text("x")
            folder.push(made.name)
        assert dict(s3.requests) == {"PUT": 6}
        shutil.rmtree(folder.path / "checkpoint_0001")
        folder.push("checkpoint_0002")
    assert dict(s3.requests) == {"PUT": 9, "LIST": 1, "DELETE": 1}
    assert {key.partition("/")[0] for key in Store(f"s3://{BUCKET}/trial").sizes()} == {
        "checkpoint_0002"
    }


def test_a_beat_costs_a_list_and_a_put(s3: LoopbackS3):
    lease = Lease(Store(f"s3://{BUCKET}/beating"))
    lease.acquire()
    s3.requests.clear()
    lease.beat()
    assert dict(s3.requests) == {"LIST": 1, "PUT": 1}


def test_a_run_is_worked_on_and_read(s3: LoopbackS3):
    uri = f"s3://{BUCKET}/mine/run"
    with working_copy(uri) as copy:
        copy.path.mkdir()
        (copy.path / "experiment.json").write_text("{}")
    with working_copy(uri) as copy:
        (copy.path / "journal.jsonl").write_text("one\n")
    assert (fetched(uri).path / "journal.jsonl").read_text() == "one\n"


@pytest.mark.parametrize(
    ("environment", "uri", "told"),
    [
        ({}, "s3://another-bucket/runs", "The specified bucket does not exist"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "s3://runs/x", "Could not connect"),
        ({"AWS_PROFILE": "nobody"}, "s3://runs/x", "nobody"),
    ],
)
def test_what_cannot_be_used_is_one_line(s3: LoopbackS3, monkeypatch, environment, uri, told):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=r"; allowed: a bucket that can be reached") as refused:
        check_writable(uri)
    (line,) = refused.value.faults
    assert told in line
    assert "\n" not in line
