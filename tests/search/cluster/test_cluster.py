"""Which cluster a search runs on, and how it waits for room on it; Ray is not started."""

import socket

import pytest

from search.cluster import connect, waiting
from search.cluster.capacity import shape
from search.cluster.connect import LOCAL, find_cluster, join
from search.cluster.waiting import wait_for_room
from search.settings.settings import Settings
from trainables.errors import UserError


@pytest.fixture
def noted(monkeypatch):
    """Ray's note of the newest cluster on this machine: its address is what the test says."""

    def note(address: str | None) -> None:
        monkeypatch.setattr(connect.services, "find_bootstrap_address", lambda folder: address)

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    note(None)
    return note


@pytest.fixture
def listening():
    """The address of something that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_without_a_cluster_one_is_started_here(noted):
    assert find_cluster("") == find_cluster("auto") == (LOCAL, "")


def test_the_flag_comes_before_the_environment_and_that_before_this_machine(
    noted, listening, monkeypatch
):
    noted(listening)
    assert find_cluster("") == (listening, "on this machine")
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert find_cluster("") == ("10.0.0.1:6379", "RAY_ADDRESS")
    assert find_cluster("10.0.0.2:6379") == ("10.0.0.2:6379", "--address")
    assert find_cluster("local") == (LOCAL, "--address")
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    assert find_cluster("") == (listening, "on this machine")


def test_a_note_of_a_cluster_that_is_gone_is_passed_over(noted):
    noted("127.0.0.1:1")
    assert find_cluster("") == (LOCAL, "")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no port", "ray://127.0.0.1:1"])
def test_an_address_without_a_cluster_is_one_line(address):
    with pytest.raises(UserError, match="where no cluster answers; allowed: HOST:PORT"):
        join(address, "--address")


class Placeholders:
    kept: list[int]

    def __init__(self, settings: Settings) -> None:
        Placeholders.kept = []

    def keep(self, trials: int) -> None:
        Placeholders.kept.append(trials)


@pytest.fixture
def looks(monkeypatch):
    """What the cluster has at each look; the clock moves on a minute at each."""
    seen: list[list[dict[str, float]]] = []
    clock = iter(range(0, 10**6, 60))
    monkeypatch.setattr(waiting, "Placeholders", Placeholders)
    monkeypatch.setattr(waiting, "autoscaler_says", lambda: "1 gpu_worker starting")
    monkeypatch.setattr(waiting, "living_nodes", lambda: seen.pop(0) if len(seen) > 1 else seen[0])
    monkeypatch.setattr(waiting.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)
    return seen


HEAD, WORKER = {"CPU": 4.0}, {"CPU": 8.0, "GPU": 1.0}
ONE_GPU = Settings(gpus_per_trial=1.0, cpus_per_trial=2.0)


def test_the_first_gpu_is_waited_for_with_a_line_now_and_then(looks, capsys):
    looks += [[HEAD], [HEAD], [HEAD, WORKER]]
    wait_for_room(ONE_GPU, "10.0.0.1:6379 (RAY_ADDRESS)")
    told = capsys.readouterr().out.splitlines()
    assert told[0] == (
        "waiting      1:00 of 20:00 for 1 GPU and 2 cores on one node in 10.0.0.1:6379 "
        "(RAY_ADDRESS): 1 gpu_worker starting"
    )
    assert Placeholders.kept == [1, 1, 0]  # called for while it was waited for, and no longer


def test_room_that_is_there_is_not_waited_for(looks, capsys):
    looks += [[HEAD]]
    wait_for_room(Settings(), "here")
    assert capsys.readouterr().out == ""


def test_a_gpu_that_never_comes_ends_in_a_line_that_says_why(looks):
    looks += [[HEAD]]
    with pytest.raises(UserError) as refused:
        wait_for_room(ONE_GPU, "here")
    (line,) = refused.value.faults
    assert line.startswith(
        "a trial wants 1 GPU and 2 cores on one node, which here (1 node, 4 cores, 0 GPUs) had not "
        "within --wait-for-gpu 20 minutes: 1 gpu_worker starting; allowed: less a trial"
    )
    assert Placeholders.kept[-1] == 0


def test_a_cluster_in_a_few_words():
    assert shape([HEAD, WORKER]) == "2 nodes, 12 cores, 1 GPU"
