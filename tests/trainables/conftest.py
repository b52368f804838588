"""A store in memory, and one whose requests fail at will."""

import uuid

import pytest

from trainables.storage import store as stores
from trainables.storage.store import Store


@pytest.fixture
def uri(monkeypatch) -> str:
    """Of a run in an empty store in this process's memory."""
    monkeypatch.setattr(stores, "SCHEMES", ("s3", "memory"))
    return f"memory://{uuid.uuid4().hex}/runs/demo"


@pytest.fixture
def store(uri: str) -> Store:
    return Store(uri)


class Faults:
    """Lets the next calls of a store's file system fail.

    Attributes:
        left: how many.
        error: with what.
    """

    def __init__(self, store: Store, error: Exception) -> None:
        self.left, self.error = 0, error
        for name in ("find", "cat_file", "get_file", "put_file", "pipe_file", "rm", "exists"):
            setattr(store._files, name, self._failing(getattr(store._files, name)))

    def _failing(self, call):
        def called(*arguments, **options):
            if self.left:
                self.left -= 1
                raise self.error
            return call(*arguments, **options)

        return called


@pytest.fixture
def faults(store: Store, monkeypatch) -> Faults:
    """Of the network, in a store whose pauses take no time."""
    monkeypatch.setattr(stores.time, "sleep", lambda seconds: None)
    return Faults(store, ConnectionError("no route to the store"))
