"""One driver at a time on a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from trainables.errors import UserError

LOCK = ".lock"


@contextmanager
def only_driver(root: Path) -> Iterator[None]:
    """Hold the folder for the time of the body; the lock of a killed process is free at once.

    Raises:
        UserError: another process works on this folder.
    """
    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"{root} is in use by another search or confirmation; allowed: one at a time; wait "
            "for it, or end that process"
        ) from error
    try:
        yield
    finally:
        lock.release()
