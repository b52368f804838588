"""What a run occupies on disk, and how that is written on the command line."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.errors import RunError, UserError

UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_bytes(text: str) -> int:
    """Bytes of a size such as "500MB" or "5 GB" (decimal units); UserError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", text.upper())
    if not found or found[2] not in UNITS:
        raise UserError(f"size is {text!r}; allowed: a number and KB, MB, GB or TB, such as 5GB")
    return int(float(found[1]) * UNITS[found[2]])


def show_bytes(count: int) -> str:
    """Such as 1.5 GB."""
    for unit in ("TB", "GB", "MB"):
        if count >= UNITS[unit]:
            return f"{count / UNITS[unit]:.3g} {unit}"
    return f"{count / 1000:.3g} KB"


def occupied_bytes(folder: Path) -> int:
    """Of all files below a folder; those that vanish meanwhile are not counted."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue
    return total


@contextmanager
def enough_room(root: Path) -> Iterator[None]:
    """Where the body finds the disk full: one line on how to go on with the run in `root`.

    Raises:
        RunError: instead of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunError(
            f"{root} cannot be written ({error.strerror}); free some space, then go on with "
            f"--resume --name {root.name}"
        ) from error
