"""How busy the driver keeps a cluster of 1, 2 and 4 nodes whose trials only sleep.

    python -m tests.benchmarks.nodes --out nodes.json

A local Ray cluster, Tune, and this project's own searcher, ASHA, recorder, journal, tables and
TensorBoard; a trial is one process that sleeps through its epochs and reports invented curves.
Busy is the time that trials slept over wall time and slots, from the first epoch's start to the
last one's end.
"""

import argparse
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import ray
from ray import tune
from ray.cluster_utils import Cluster

from search.cluster.connect import RAY_SETTINGS
from search.monitoring.lines import Progress
from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.settings.settings import Settings
from search.tuning.recorder import Recorder
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule
from search.tuning.searchers import StudySearcher
from search.tuning.stopping import SessionStopper
from search.tuning.study import JournaledStudy, study_storage
from search.tuning.trials import run_trials
from search.tuning.tuner import startup_trials
from spaces.registry import load_space
from tests.benchmarks.driver_time import board_of
from tests.benchmarks.sleeping import SleepingTrial
from tests.benchmarks.surrogate import BASE
from trainables.storage import journal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--slots", type=int, default=4, help="trials at a time on a node")
    parser.add_argument("--trials", type=int, default=16, help="for each slot of a node")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    os.environ.update(RAY_SETTINGS)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    rows = []
    print(f"{'nodes':>6}{'slots':>7}{'trials':>8}{'epochs':>8}{'wall s':>8}{'busy':>7}{'speed':>7}")
    for nodes in arguments.nodes:
        slots = nodes * arguments.slots
        row = measure(nodes, arguments.slots, slots * arguments.trials)
        rows.append(row)
        speed = row["epochs"] / row["seconds"] / (rows[0]["epochs"] / rows[0]["seconds"])
        print(
            f"{nodes:>6}{slots:>7}{row['trials']:>8}{row['epochs']:>8}{row['seconds']:>8.0f}"
            f"{row['busy']:>7.2f}{speed:>6.1f}x",
            flush=True,
        )
    if arguments.out:
        arguments.out.write_text(json.dumps(rows))


def measure(nodes: int, slots: int, num_trials: int) -> dict[str, Any]:
    """A search of sleeping trials on a cluster of its own."""
    with cluster_of(nodes, slots), tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):
            record = search(RunFolder(Path(folder)), num_trials)
        events = journal.read(Path(folder) / "journal.jsonl")
    times = [datetime.fromisoformat(e["time"]) for e in events if e["event"] == "reported"]
    seconds = (max(times) - min(times)).total_seconds() + SleepingTrial.epoch_seconds
    epochs = len(record.reports)
    return {
        "nodes": nodes,
        "trials": record.num_ended,
        "epochs": epochs,
        "seconds": seconds,
        "busy": epochs * SleepingTrial.epoch_seconds / seconds / (nodes * slots),
    }


@contextmanager
def cluster_of(nodes: int, slots: int) -> Iterator[Cluster]:
    """A cluster of nodes on this machine, with cores that nobody counts; in a folder of its own, as
    whoever starts Ray without an address would join it."""
    temporary = os.environ["RAY_TMPDIR"] = tempfile.mkdtemp(prefix="ray")
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": slots, "include_dashboard": False},
        shutdown_at_exit=False,  # nodes may be added by a thread, which cannot handle signals
    )
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=slots)
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        shutil.rmtree(temporary, ignore_errors=True)


def search(
    folder: RunFolder, num_trials: int, trainable: type[tune.Trainable] = SleepingTrial
) -> RunRecord:
    """The search that `search.run` makes, of trials that occupy a core each."""
    space, log = load_space("core"), RunLog(folder.journal)
    study = JournaledStudy(
        lambda trial: space(trial, BASE),
        storage=study_storage(folder.study),
        seed=0,
        num_startup_trials=startup_trials(num_trials),
        log=log,
    )
    rule, stopper = (
        StoppingRule(Rungs(grace_epochs=1, reduction_factor=3, max_epochs=9)),
        SessionStopper(),
    )
    run_trials(
        searcher=StudySearcher(study),
        scheduler=PhaseAlignedASHA(rule),
        recorder=Recorder(
            folder, log, stopper, rule=rule, listeners=(study, Progress(), board_of(folder))
        ),
        folder=folder,
        datasets={},
        settings=Settings(),
        num_trials=num_trials,
        stopper=stopper,
        trainable=trainable,
        resources={"CPU": 1},
    )
    return log.record


if __name__ == "__main__":
    main()
