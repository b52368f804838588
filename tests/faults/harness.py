"""A real search as a process of its own, on a cluster of several nodes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from search.records.folder import RunFolder
from search.records.record import RunRecord, TrialRecord
from tests.faults.local_cluster import LocalCluster, kill, wait_for
from tests.faults.process import SearchProcess

ROOT = Path(__file__).parents[2]
KILL_ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))  # of every kind of process
NUM_TRIALS = 5 * KILL_ROUNDS
SETTINGS = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:weak_second"),
    # Epochs of half a second in phase 1 and of two seconds in phase 2: long enough to die in.
    *("--train-size", "640", "--val-size", "160", "--batch-size", "32"),
    *("--head-epochs", "5", "--finetune-epochs", "4", "--reuse", "off"),
    # Lenient, so that most trials run to their end and there is something to kill.
    *("--reduction-factor", "1.5", "--grace-epochs", "2"),
]


class Search(SearchProcess):
    """`python -m search.run` on a cluster.

    Args:
        cluster: to join.
        flags: of the first start alone.
        folder: for what it prints, and for the run where `storage` says nothing else.
        storage: folder of the run's folder.
    """

    def __init__(
        self, cluster: LocalCluster, flags: list[str], folder: Path, *, storage: Path | None = None
    ) -> None:
        self.cluster, self.flags = cluster, flags
        self.storage = storage or folder / "runs"
        self.sessions = 0  # that were started
        super().__init__(RunFolder(self.storage / "run"), folder / "told.txt")

    def start(self, *more: str) -> None:
        """Start the run, or go on with it where its folder is there."""
        assert not self.runs
        self.sessions += 1
        flags = ["--resume"] if self.folder.experiment.exists() else self.flags
        with self._log.open("ab") as told:
            self._process = subprocess.Popen(
                self._command(*flags, *more), **self._where(), stdout=told, stderr=told
            )

    def beside(self, *flags: str) -> subprocess.CompletedProcess:
        """Another process on the same run folder, to its end."""
        return subprocess.run(
            self._command(*flags), **self._where(), capture_output=True, text=True, timeout=120
        )

    def kill(self) -> bool:
        """SIGKILL the search's own process."""
        assert self._process is not None
        return self.runs and kill([self._process.pid]) and self._process.wait(10) == -9

    def close(self) -> None:
        if self.runs:
            self.kill()

    def wait(self, condition: Callable[[RunRecord], Any], *, seconds: float, what: str) -> None:
        """Wait until the record fulfils a condition, or the search has ended."""

        def is_met() -> bool:
            return bool(condition(self.record)) or not self.runs

        wait_for(is_met, seconds=seconds, what=what)

    def record_of(self, number: int, condition: Callable[[TrialRecord], Any]) -> Callable[[], bool]:
        """Whether a trial is on record and fulfils a condition, to wait for."""

        def is_met() -> bool:
            assert self.runs, self.told
            trial = self.record.trials.get(number)
            return trial is not None and bool(condition(trial))

        return is_met

    def _command(self, *flags: str) -> list[str]:
        where = ("--storage", str(self.storage), "--name", "run")
        return [sys.executable, "-m", "search.run", *where, *flags]

    def _where(self) -> dict[str, Any]:
        return {"cwd": ROOT, "env": os.environ | self.cluster.environment}
