"""Searches on three hosts, each with one fault at a random moment: what happened, and how long.

    python -m tests.cluster.faults --runs 10

A fault hits one of the two workers for a random time: its cable is cut, it is killed and booted
again, or its line is slowed to 512 kbit/s. Every run is checked as those of tests/faults are. It
has gone on when each trial that was running has told its next epoch, or its end.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.cluster.hosts import Network, missing, wait_for
from tests.cluster.search import NUM_TRIALS, ClusterSearch
from tests.cluster.user import User
from tests.faults.invariants import ENDS, check_record

FAULTS = ("cut", "kill", "slow")
LONGEST_FAULT_SECONDS = 60.0
END_SECONDS = 900.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if reason := missing():
        parser.exit(2, f"error: {reason}\n")
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        network = Network(("head", "worker-1", "worker-2"), Path(folder) / "hosts")
        try:
            user = User(network)
            user.up()
            print(
                " run  fault  host      after epoch  for s  went on after s  whole run s",
                flush=True,
            )
            for run in range(arguments.runs):
                user.wait_for_nodes(3)
                search = ClusterSearch(user, Path(folder), name=f"run-{run}")
                print(f"{run:>4}  {one_run(search, FAULTS[run % len(FAULTS)], rng)}", flush=True)
        finally:
            network.close()


def one_run(search: ClusterSearch, fault: str, rng: np.random.Generator) -> str:
    """A whole search with a fault in it; a line on what happened."""
    host = search.user.network.hosts[rng.integers(1, 3)]
    begun = time.monotonic()
    search.start()
    wait_for(search.folder.journal.exists, seconds=300, what="the run folder")
    search.wait_for_reports(int(rng.integers(1, 8)))
    epochs, seconds = search.num_reports(), float(rng.uniform(5, LONGEST_FAULT_SECONDS))
    struck = datetime.now(UTC)
    {"cut": host.cut, "kill": host.kill, "slow": host.slow}[fault]()
    time.sleep(seconds)
    host.boot() if fault == "kill" else host.mend()
    assert search.end(seconds=END_SECONDS) == 0, search.told
    check_record(search, num_trials=NUM_TRIALS, max_concurrent=3)
    return (
        f"{fault:<5}  {host.name:<8}  {epochs:>11}  {seconds:>5.0f}  "
        f"{seconds_to_go_on(search.events, struck):>15.0f}  {time.monotonic() - begun:>11.0f}"
    )


def seconds_to_go_on(events: list[dict[str, Any]], struck: datetime) -> float:
    """From the fault until the last of the trials that were running then was heard of again."""
    heard: dict[int, float] = {}
    running: set[int] = set()
    for event in events:
        after, trial = (
            (datetime.fromisoformat(event["time"]) - struck).total_seconds(),
            event.get("trial"),
        )
        if event["event"] == "started" and after < 0:
            running.add(trial)
        elif event["event"] in ENDS and after < 0:
            running.discard(trial)
        elif event["event"] in ("reported", *ENDS) and trial in running and after >= 0:
            heard.setdefault(trial, after)
    return max(heard.values(), default=0.0)


if __name__ == "__main__":
    main()
