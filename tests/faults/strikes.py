"""Kills one process of a running search at a random moment, and times what follows."""

import time
from dataclasses import dataclass

import numpy as np

from search.records.record import RunRecord, TrialRecord
from tests.faults.harness import Search
from tests.faults.local_cluster import LocalCluster, wait_for

SEARCH_KILLERS = ("search", "everything")


@dataclass(frozen=True, kw_only=True)
class Strike:
    """A kill, and where the trial that ran was (of two, the earlier one)."""

    kind: str
    trial: int
    epochs: int  # that the trial had reported
    phase: int  # that it was in
    seconds: float  # from the kill to the next epoch, or to the trial's end

    def __str__(self) -> str:
        where = f"trial {self.trial}, phase {self.phase}, after epoch {self.epochs}"
        return f"{self.kind:<10}  {where}  went on after {self.seconds:.0f} s"


def strike(
    search: Search, cluster: LocalCluster, kind: str, rng: np.random.Generator
) -> Strike | None:
    """Let the search go on for a random while, kill, and wait until it has gone on from there.

    None when the search ended before.

    Args:
        search: that runs.
        cluster: that it runs on.
        kind: worker, controller, driver, exchange, node, search or everything.
        rng: of the moment: up to two epochs and two seconds from now.
    """
    told = len(search.record.reports)
    more = int(rng.integers(0, 3))
    search.wait(lambda record: len(record.reports) >= told + more, seconds=240, what="an epoch")
    time.sleep(rng.uniform(0, 2))
    workers = wait_for(lambda: _workers(cluster) or not search.runs, seconds=240, what="a worker")
    trial = _running(search.record)
    if not search.runs or trial is None or not _kill(search, cluster, kind):
        return strike(search, cluster, kind, rng) if search.runs else None
    started = time.monotonic()
    if kind in SEARCH_KILLERS:
        search.start()
    # What was on its way when the worker died still arrives: the next one's epochs count.
    wait_for(lambda: _workers(cluster) - workers or not search.runs, seconds=240, what="a worker")
    before = _progress(search.record)
    search.wait(lambda record: _progress(record) > before, seconds=240, what="an epoch")
    return Strike(
        kind=kind,
        trial=trial.number,
        epochs=len(trial.reports),
        phase=1 if len(trial.reports) < trial.config["head_epochs"] else 2,
        seconds=time.monotonic() - started,
    )


def _kill(search: Search, cluster: LocalCluster, kind: str) -> bool:
    """Kill now; False when there is nothing of this kind."""
    if kind == "node":
        return cluster.kill_node()
    if kind not in SEARCH_KILLERS:
        return cluster.kill_actor(kind)
    killed = search.kill()
    if kind == "everything":
        cluster.kill_all()
    return killed


def _workers(cluster: LocalCluster) -> set[int]:
    return {actor.pid for actor in cluster.actors("worker")}


def _running(record: RunRecord) -> TrialRecord | None:
    return next((trial for trial in record.trials.values() if not trial.ended), None)


def _progress(record: RunRecord) -> int:
    return len(record.reports) + sum(trial.ended for trial in record.trials.values())
