"""Objects: whole or absent, and tried again where a fault may pass."""

import pickle
from pathlib import Path

import pytest

from trainables.errors import UserError
from trainables.storage.store import Store, StoreError, check_uri, is_uri


def test_what_is_put_is_listed_read_and_deleted(store: Store, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"from a file")
    store.put("a/b", b"12345")
    store.put("c", tmp_path / "file")
    assert store.sizes() == {"a/b": 5, "c": 11}
    assert store.sizes("a") == {"a/b": 5}
    assert (store.read("c"), store.read("d")) == (b"from a file", None)
    assert (store.exists("a/b"), store.exists("a/c")) == (True, False)
    store.get("a/b", tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == b"12345"
    store.delete(["a/b"])
    store.delete(["never/there"])
    store.delete([])
    assert store.sizes() == {"c": 11}


def test_an_empty_place_is_empty(store: Store):
    assert store.sizes() == {}


def test_what_is_not_there_cannot_be_got_and_leaves_no_file(store: Store, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        store.get("absent", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_create_one_does(store: Store):
    assert store.create("lock", b"first")
    assert not store.create("lock", b"second")
    assert store.read("lock") == b"first"


def test_a_try_whose_answer_was_lost_has_created_it_all_the_same(store: Store):
    store.put("lock", b"mine")  # the store did it, and the network lost the answer
    assert store.create("lock", b"mine")


def test_a_fault_that_passes_is_not_noticed(store: Store, faults):
    faults.left = 3
    store.put("a", b"1")
    faults.left = 3
    assert store.sizes() == {"a": 1}


def test_a_fault_that_lasts_is_told_in_one_line(store: Store, faults):
    faults.left, store.patience_s = 10**6, 0
    with pytest.raises(StoreError, match=r"runs/demo cannot be used \(no route to the store\)"):
        store.put("a", b"1")


def test_no_rights_are_told_at_once(store: Store, faults):
    faults.error, faults.left = PermissionError("Access Denied"), 2
    with pytest.raises(StoreError, match="Access Denied"):
        store.sizes()
    assert faults.left == 1


def test_a_fault_of_ours_is_not_tried_again(store: Store, faults):
    faults.error, faults.left = ZeroDivisionError("a bug"), 2
    with pytest.raises(ZeroDivisionError):
        store.sizes()
    assert faults.left == 1


def test_a_package_that_is_missing_is_named():
    with pytest.raises(StoreError, match=r"needs a package .*pip install -e '\.\[s3\]'"):
        Store("gs://bucket/runs")  # no extra of ours brings what speaks it


def test_the_error_comes_whole_from_another_process():
    error = pickle.loads(pickle.dumps(StoreError("s3://b cannot be used (gone)")))
    assert str(error) == "s3://b cannot be used (gone)"


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/", "s3://my.bucket-1/runs/mine"])
def test_places_in_a_bucket(uri: str):
    assert is_uri(uri)
    check_uri(uri)


@pytest.mark.parametrize(
    "uri",
    ["s3://", "s3:///runs", "s3://Bucket", "s3://key:secret@host/b", "s3://b1b/a//b", "gs://bbb"],
)
def test_another_place_is_refused(uri: str):
    with pytest.raises(UserError, match="allowed: a folder, or s3://BUCKET/PREFIX"):
        check_uri(uri)


@pytest.mark.parametrize("path", ["runs", "/mnt/shared/runs", "./s3:/runs"])
def test_a_path_is_no_uri(path: str):
    assert not is_uri(path)
