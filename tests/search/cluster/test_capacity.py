"""Trials at a time while nodes join and leave: a real search, whose trials only sleep."""

import logging
import threading
from types import SimpleNamespace

import optuna
import pytest
from ray.cluster_utils import Cluster

from search.cluster.capacity import ElasticConcurrency
from search.cluster.connect import RAY_SETTINGS
from search.records.folder import RunFolder
from search.settings.settings import Settings
from tests.benchmarks.nodes import cluster_of, search
from tests.benchmarks.sleeping import SleepingTrial
from tests.faults.local_cluster import wait_for
from trainables.storage import journal

NUM_TRIALS = 10


def at_a_time(events: list[dict]) -> list[int]:
    """The number of trials under way after each event of the journal."""
    running, counts = set(), []
    for event in events:
        if event["event"] == "started":
            running.add(event["trial"])
        elif event["event"] in ("finished", "stopped", "failed"):
            running.discard(event["trial"])
        counts.append(len(running))
    return counts


def under_way(folder: RunFolder) -> int:
    found = journal.read(folder.journal) if folder.journal.exists() else []
    return at_a_time(found)[-1] if found else 0


def join_and_leave(cluster: Cluster, folder: RunFolder, changes: list[int]) -> None:
    """A node joins once a trial has begun, and is killed once three run at a time."""

    def running(number: int) -> None:
        wait_for(lambda: under_way(folder) == number, seconds=60, what=f"{number} at a time")
        changes.append(len(journal.read(folder.journal)))

    running(1)
    node = cluster.add_node(num_cpus=2)
    running(3)
    cluster.remove_node(node, allow_graceful=False)


class Limiter:
    """What of Tune's ConcurrencyLimiter the callback uses."""

    def __init__(self, live: int) -> None:
        self.max_concurrent, self.live_trials = 2, {str(n) for n in range(live)}


class Placeholders:
    def __init__(self) -> None:
        self.kept: list[int] = []

    def keep(self, trials: int) -> None:
        self.kept.append(trials)


BUSY = SimpleNamespace(status="RUNNING", last_result={"epoch": 1})
STARTS = SimpleNamespace(status="RUNNING", last_result={})


def one_step(nodes: list[dict[str, float]], monkeypatch, *, begun: int = 2, trial=BUSY, **settings):
    """One step of a search of 20 trials; its limiter, placeholders and notes."""
    monkeypatch.setattr("search.cluster.capacity.living_nodes", lambda: nodes)
    limiter, placeholders, notes = Limiter(min(begun, 2)), Placeholders(), []
    callback = ElasticConcurrency(
        limiter, Settings(**settings), num_trials=20, note=notes.append, placeholders=placeholders
    )
    callback.on_step_begin(0, [trial] * begun)
    return limiter.max_concurrent, placeholders.kept, notes


def test_the_limit_is_what_the_nodes_hold_and_scouts_stand_for_the_rest(monkeypatch):
    two = [{"CPU": 2.0}]
    assert one_step(two, monkeypatch) == (2, [18], [])
    limit, kept, notes = one_step([*two, {"CPU": 3.0}], monkeypatch)
    assert (limit, kept) == (5, [0])  # three slots are free
    assert notes == ["trials at a time: 5, 2 before; the cluster: 2 nodes, 5 cores, 0 GPUs"]


def test_without_a_node_one_trial_waits_and_scouts_call_for_all(monkeypatch):
    limit, kept, _ = one_step([], monkeypatch)
    assert (limit, kept) == (1, [20])


def test_scouts_leave_the_room_to_trials_that_start(monkeypatch):
    assert one_step([{"CPU": 2.0}], monkeypatch, trial=STARTS)[1] == [0]


def test_scouts_call_for_no_more_than_can_be_used(monkeypatch):
    two = [{"CPU": 2.0}]
    assert one_step(two, monkeypatch, max_concurrent=5)[1] == [3]
    assert one_step(two, monkeypatch, begun=20)[1] == [0]  # two under way, none to begin
    assert one_step(two, monkeypatch, begun=19)[1] == [1]


def test_the_cluster_is_looked_at_now_and_then(monkeypatch):
    looks = []
    monkeypatch.setattr(
        "search.cluster.capacity.living_nodes", lambda: looks.append(1) or [{"CPU": 2.0}]
    )
    callback = ElasticConcurrency(
        Limiter(0), Settings(), num_trials=2, note=print, placeholders=None
    )
    for step in range(100):
        callback.on_step_begin(step, [])
    assert len(looks) == 1


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_slots_grow_when_a_node_joins_and_shrink_when_it_leaves(tmp_path, monkeypatch, capsys):
    class Nap(SleepingTrial):  # of no module, so that its process need not import this one
        # Tune hands the slot of a trial that ends to the trial whose own slot still starts: trials
        # have to be longer than that start, as real ones are, or there are never three.
        epoch_seconds = 1.5

    for name, value in RAY_SETTINGS.items():
        monkeypatch.setenv(name, value)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    folder, changes = RunFolder(tmp_path / "run"), []
    folder.trials.mkdir(parents=True)
    with cluster_of(1, 1) as cluster:
        changer = threading.Thread(target=join_and_leave, args=(cluster, folder, changes))
        changer.start()
        record = search(folder, NUM_TRIALS, Nap)
        changer.join()
    events = journal.read(folder.journal)
    joined, left = changes
    running = at_a_time(events)
    assert max(running[:joined]) == 1
    assert running[left - 1] == 3
    assert running[left:][-1] == 0
    told = capsys.readouterr().out
    assert "note: trials at a time: 3, 1 before; the cluster: 2 nodes, 3 cores, 0 GPUs" in told
    assert "note: trials at a time: 1, 3 before; the cluster: 1 node, 1 core, 0 GPUs" in told
    # Once the lost trials have ended there is one at a time, and none was lost.
    assert max(running[-4:]) == 1
    assert record.num_ended == NUM_TRIALS
    assert not any(trial.status == "failed" for trial in record.trials.values())
