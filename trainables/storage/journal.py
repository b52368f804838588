"""The run's journal: append-only JSON lines, one decision a line, written as it happens."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainables.errors import UserError


def append(path: Path, event: str, **fields: Any) -> dict[str, Any]:
    """Append one event and force it to disk.

    A line is one `write` on a file opened with O_APPEND, so two writers cannot mix their lines.
    NaN and infinities are not JSON and are refused (ValueError): callers sanitise metrics first.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"time": now, "event": event, **fields}
    line = (json.dumps(record, allow_nan=False) + "\n").encode()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        _truncate_to_whole_lines(descriptor)
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return record


def read(path: Path) -> list[dict[str, Any]]:
    """All events in order; an absent file is an empty journal.

    A last line without its newline is a write that a kill cut short: it never took effect and is
    left out. Any other line that is not JSON raises UserError with its number.
    """
    if not path.exists():
        return []
    records = []
    complete_lines = path.read_bytes().split(b"\n")[:-1]
    for number, line in enumerate(complete_lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise UserError(
                f"{path} line {number} is not JSON ({error}); allowed: one JSON object a line; "
                "restore the journal from a backup or start a new run"
            ) from error
    return records


def drop_cut_line(path: Path) -> None:
    """Take away what a kill left behind the last whole line of a file of lines."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        _truncate_to_whole_lines(descriptor)
    finally:
        os.close(descriptor)


def _truncate_to_whole_lines(descriptor: int) -> None:
    """Take away what a kill left behind the last whole line, so that the next one stands alone."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)
