"""One writer at a time."""

import threading

import pytest

from trainables.errors import UserError
from trainables.storage import lease as leases
from trainables.storage.lease import Lease, LostLeaseError
from trainables.storage.store import Store


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(leases, "EXPIRY_S", 0.1)
    monkeypatch.setattr(leases, "LOOK_S", 0.01)


def held(store: Store) -> Lease:
    made = Lease(store)
    made.acquire()
    return made


def test_one_that_was_given_back_is_free_at_once(store: Store, monkeypatch):
    held(store).give_back()
    monkeypatch.setattr(leases, "EXPIRY_S", 1e9)
    held(store).beat()
    assert list(store.sizes()) == [".lease/000002"]


def test_one_whose_holder_lives_is_refused(store: Store, monkeypatch):
    monkeypatch.setattr(leases, "EXPIRY_S", 30)
    first, ends = held(store), threading.Event()

    def live() -> None:
        while not ends.wait(0.02):
            first.beat()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(UserError, match=r"is in use by process \d+ on .*; allowed: one"):
            held(store)
    finally:
        ends.set()
        thread.join()
    first.beat()


def test_one_whose_holder_died_is_taken_over_and_he_notices_should_he_wake(store: Store):
    first = held(store)
    second = held(store)
    with pytest.raises(LostLeaseError, match="taken over by another process"):
        first.beat()
    second.beat()


def test_he_notices_after_several_others_too(store: Store):
    first = held(store)
    for _ in range(3):
        held(store).give_back()
    with pytest.raises(LostLeaseError):
        first.beat()


def test_of_several_that_take_over_one_does(store: Store):
    held(store)
    outcomes: list[str] = []

    def take() -> None:
        try:
            held(store)
        except UserError:
            outcomes.append("refused")
        else:
            outcomes.append("held")

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held", "refused", "refused", "refused"]


def test_it_can_leave_nothing_behind(store: Store):
    held(store).remove()
    assert store.sizes() == {}
