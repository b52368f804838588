"""Trials at a time while nodes join and leave: a real search, whose trials only sleep."""

import logging
import threading

import optuna
import pytest
from ray.cluster_utils import Cluster

from search.cluster import RAY_SETTINGS
from search.run_folder import RunFolder
from tests.benchmarks.nodes import cluster_of, search
from tests.benchmarks.sleeping import SleepingTrial
from tests.faults.local_cluster import wait_for
from trainables import journal

NUM_TRIALS = 12


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


def count(folder: RunFolder, kind: str) -> int:
    found = journal.read(folder.journal) if folder.journal.exists() else []
    return sum(event["event"] == kind for event in found)


def join_and_leave(cluster: Cluster, folder: RunFolder, changes: list[int]) -> None:
    """A node joins once two trials have begun, and is killed once four more have."""

    def begun(number: int) -> None:
        wait_for(lambda: count(folder, "started") >= number, seconds=60, what="trials")
        changes.append(len(journal.read(folder.journal)))

    begun(2)
    node = cluster.add_node(num_cpus=2)
    begun(6)
    cluster.remove_node(node, allow_graceful=False)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_slots_grow_when_a_node_joins_and_shrink_when_it_leaves(tmp_path, monkeypatch, capsys):
    class Nap(SleepingTrial):  # of no module, so that its process need not import this one
        epoch_seconds = 0.3

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
    assert max(running[joined:left]) == 3
    assert running[left:][-1] == 0
    told = capsys.readouterr().out
    assert "note: trials at a time: 3, 1 before; the cluster: 2 nodes, 3 cores, 0 GPUs" in told
    assert "note: trials at a time: 1, 3 before; the cluster: 1 node, 1 core, 0 GPUs" in told
    # Once the lost trials have ended there is one at a time, and none was lost.
    assert max(running[-4:]) == 1
    assert record.num_ended == NUM_TRIALS
    assert not any(trial.status == "failed" for trial in record.trials.values())
