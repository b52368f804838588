"""A real search in a process of its own, seen from outside: its folder, and what it prints."""

import subprocess
from pathlib import Path
from typing import Any

from search.records.folder import RunFolder
from search.records.record import RunRecord
from trainables.storage import journal


class SearchProcess:
    """What `python -m search.run` leaves behind, wherever and however it was started.

    Args:
        folder: of the run.
        log: what it prints, in all its sessions, is added there.
    """

    def __init__(self, folder: RunFolder, log: Path) -> None:
        self.folder, self._log = folder, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def record(self) -> RunRecord:
        return RunRecord.read(self.folder.journal)

    @property
    def events(self) -> list[dict[str, Any]]:
        return journal.read(self.folder.journal)

    @property
    def told(self) -> str:
        return self._log.read_text()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self, *, seconds: float = 600) -> int:
        """Wait for its end; the exit status."""
        assert self._process is not None
        return self._process.wait(seconds)
