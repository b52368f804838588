"""How many slots one driver keeps busy, how its memory grows, and what holds it back in the end.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.scale --out scale.json

A local Ray cluster of many nodes and cores that nobody counts, Tune, and this project's own
searcher, ASHA, recorder, journal, tables and TensorBoard; a trial is one process that sleeps
through its epochs. Then the same with ever shorter epochs: to the driver, half the epoch is twice
the slots. A thread looks 50 times a second at what the driver is doing. The slots' processes and
Ray's own of every node share this machine's cores with the driver, which they would not on a
cluster; how busy those cores were is told as well.
"""

import argparse
import io
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import optuna
import psutil

from search.cluster.connect import RAY_SETTINGS
from search.records.folder import RunFolder
from tests.benchmarks.nodes import cluster_of, search
from tests.benchmarks.sleeping import SleepingTrial
from trainables.storage import journal

EVERY_SECONDS = 0.02
PARTS = {  # of the driver, by the innermost frame that names one
    "waits": ("ray/_private/worker.py",),
    "sampler": ("/optuna/",),
    "journal, tables, TensorBoard": ("/search/", "/tensorboard/", "/trainables/", "/pandas/"),
    "Tune": ("/ray/",),
}


class Watch(threading.Thread):
    """What the main thread does, and the process's memory and processor time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.parts: Counter[str] = Counter()
        self.memory: list[int] = []  # bytes, each second
        self._main, self._over = threading.main_thread().ident, threading.Event()

    def run(self) -> None:
        looks = 0
        while not self._over.wait(EVERY_SECONDS):
            assert self._main is not None
            self.parts[part(sys._current_frames()[self._main])] += 1
            if looks % round(1 / EVERY_SECONDS) == 0:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                self.memory.append(pages * os.sysconf("SC_PAGE_SIZE"))
            looks += 1

    def __enter__(self) -> "Watch":
        self._cpu = time.process_time()
        psutil.cpu_percent()  # from here on
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._over.set()
        self.join()
        self.cpu_seconds = time.process_time() - self._cpu
        self.machine_busy = psutil.cpu_percent() / 100


def part(frame: FrameType | None) -> str:
    """Which part of the driver a stack is in."""
    while frame:
        where = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        for name, marks in PARTS.items():
            if any(mark in where for mark in marks):
                return name
        frame = frame.f_back
    return "other"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--nodes", type=int, default=8)
    add("--slots", type=int, default=8, help="trials at a time on a node")
    add("--trials", type=int, default=2_000)
    add("--epoch-seconds", type=float, nargs="+", default=[5.0, 2.0, 1.0])
    add("--later-trials", type=int, default=400, help="with the second epoch length and on")
    add("--out", type=Path)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    os.environ.update(RAY_SETTINGS)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    rows = []
    with cluster_of(arguments.nodes, arguments.slots):
        for i, epoch_seconds in enumerate(arguments.epoch_seconds):
            trials = arguments.later_trials if i else arguments.trials
            row = measure(arguments.nodes * arguments.slots, trials, epoch_seconds)
            rows.append(row)
            print(describe(row), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1))


def measure(slots: int, num_trials: int, epoch_seconds: float) -> dict[str, Any]:
    """One search; busy from the first report to the last trial's start, when all slots have work.

    A slot's work is what its trial slept; the rest of the time it waited for the driver.
    """

    class Nap(SleepingTrial):  # travels with its epochs' length, as a class of no module does
        pass

    Nap.epoch_seconds = epoch_seconds
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        with redirect_stdout(io.StringIO()):
            record = search(RunFolder(Path(folder)), num_trials, Nap)
        events = journal.read(Path(folder) / "journal.jsonl")
    times = {
        kind: [_time(e) for e in events if e["event"] == kind] for kind in ("started", "reported")
    }
    # All slots are up once the first `slots` trials have reported.
    begin, end = times["reported"][slots], max(times["started"])
    slept = sum(begin < t <= end for t in times["reported"]) * epoch_seconds
    total = sum(watch.parts.values())
    memory = watch.memory
    return {
        "slots": slots,
        "epoch_seconds": epoch_seconds,
        "trials": record.num_ended,
        "epochs": len(record.reports),
        "seconds": end - begin,
        "busy": slept / ((end - begin) * slots),
        "driver_cpu_ms_per_epoch": 1000 * watch.cpu_seconds / len(record.reports),
        "driver_cpu_share": watch.cpu_seconds / (len(memory) or 1),
        "machine_busy": watch.machine_busy,
        "memory_mb": [round(memory[len(memory) * k // 10] / 1e6) for k in range(10)],
        "doing": {name: count / total for name, count in watch.parts.most_common()},
    }


def describe(row: dict[str, Any]) -> str:
    doing = ", ".join(f"{name} {share:.0%}" for name, share in row["doing"].items())
    return (
        f"{row['slots']} slots, epochs of {row['epoch_seconds']:g} s, {row['trials']} trials, "
        f"{row['epochs']} epochs in {row['seconds']:.0f} s: busy {row['busy']:.1%}; driver "
        f"{row['driver_cpu_ms_per_epoch']:.1f} ms of processor an epoch ({doing}); "
        f"{row['machine_busy']:.0%} of this machine's cores in use\n"
        f"  driver's memory in MB, at each tenth: {' '.join(map(str, row['memory_mb']))}"
    )


def _time(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


if __name__ == "__main__":
    main()
