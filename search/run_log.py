"""A run's journal and the record that it tells, in step."""

from pathlib import Path
from typing import Any

from search.records.record import RunRecord
from trainables.storage import journal


class RunLog:
    """Every event is on disk before it counts; without a path it lives in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.record = RunRecord.read(path) if path else RunRecord()

    def write(self, event: str, **fields: Any) -> None:
        """Add one event; raises OSError when the disk does not take it, and then nothing counts."""
        if self._path:
            self.record.apply(journal.append(self._path, event, **fields))
        else:
            self.record.apply({"event": event, **fields})
