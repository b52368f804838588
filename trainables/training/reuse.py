"""Arrays that are computed once a node and shared by all trials on it: views, frozen activations.

A folder of `.npy` files, each named by a hash of everything that its content depends on. Trials map
them into memory, so a node holds one copy, in the page cache, which the system gives up under
pressure. A lock a file makes others wait for the one that computes; it ends with its process, so
the next one takes a killed one's place. Files outlive trials and runs. The least recently used go
first when the folder outgrows its limit; who has them mapped keeps them.

Not Ray's object store: objects there end with the worker that made them, and a trial without Ray
could not share.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from trainables.errors import UserError

Mode = Literal["off", "head", "trunk", "auto"]
MODES: tuple[Mode, ...] = ("off", "head", "trunk", "auto")
DEFAULT_LIMIT_BYTES = 8 * 2**30
# Of the limit, for one epoch's activations below the unfreeze point: more of them would push each
# other out before another trial comes by.
AUTO_SHARE = 1 / 16
# What another version may compute differently.
VERSIONS = {name: version(name) for name in ("torch", "albumentations", "opencv-python-headless")}


def default_folder() -> Path:
    """Of this user, on this node."""
    return Path(tempfile.gettempdir()) / f"two-phase-search-reuse-{os.getuid()}"


def fingerprint(array: NDArray[Any]) -> str:
    """Of an array's content and shape; about a GB/s."""
    content = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16)
    content.update(f"{array.dtype} {array.shape}".encode())
    return content.hexdigest()


@dataclass(frozen=True)
class Reuse:
    """Shares what trials compute.

    Args:
        mode: "off" computes all anew; "head" shares epoch views and the features of phase 1;
            "trunk" also what lies below the unfreeze point in phase 2; "auto" is "trunk" where one
            epoch of that is a small part of the limit.
        limit_bytes: of all files together.
        folder: of the files; made if it is not there, for this user alone. By default the user's
            own on the node where it is asked for.
    """

    mode: Mode = "auto"
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    folder: Path | None = None

    @property
    def is_on(self) -> bool:
        return self.mode != "off"

    def shares_trunk(self, num_bytes: int) -> bool:
        """Whether an epoch's activations below the unfreeze point, so large, are shared."""
        if self.mode == "auto":
            return num_bytes <= AUTO_SHARE * self.limit_bytes
        return self.mode == "trunk"

    def get(self, key: Mapping[str, Any], compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of a key, from its file if there is one, else computed, and stored.

        Args:
            key: everything that the array depends on, as JSON can hold it.
            compute: makes it; never called twice at the same time for one key on one node.

        Returns:
            A private view on the file: written to, it changes nothing for others.

        Raises:
            UserError: the folder is another user's.
        """
        if not self.is_on:
            return compute()
        told = json.dumps({**key, "versions": VERSIONS}, sort_keys=True)
        folder = self._own_folder()
        path = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.npy"
        found = _mapped(path)
        if found is None:
            with FileLock(path.with_suffix(".lock")):
                found = _mapped(path)
                if found is None:
                    array = compute()
                    if array.nbytes > self.limit_bytes:
                        return array
                    self._make_room(folder, array.nbytes)
                    _store(array, path)
                    return array
        return found

    def _own_folder(self) -> Path:
        folder = self.folder or default_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise UserError(
                f"{folder} belongs to another user, who could change what trials compute; "
                "allowed: a folder of your own; set TMPDIR, or use --reuse off"
            )
        return folder

    def _make_room(self, folder: Path, num_bytes: int) -> None:
        """Drop the least recently used files until so much more is within the limit."""
        with FileLock(folder / "room.lock"):
            files = [*folder.glob("*.npy"), *folder.glob("*.part")]  # left by a kill
            files.sort(key=lambda path: path.stat().st_mtime)
            occupied = sum(path.stat().st_size for path in files)
            for path in files:
                if occupied + num_bytes <= self.limit_bytes:
                    break
                occupied -= path.stat().st_size
                path.unlink()
                path.with_suffix(".lock").unlink(missing_ok=True)


def _mapped(path: Path) -> NDArray[Any] | None:
    try:
        array = np.load(path, mmap_mode="c", allow_pickle=False)
        os.utime(path)  # used just now
    except FileNotFoundError:
        return None
    return np.asarray(array)


def _store(array: NDArray[Any], path: Path) -> None:
    """Write whole or not at all. Without room it stays unshared: the trial has its array."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        try:
            with part.open("wb") as file:
                np.save(file, array, allow_pickle=False)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)


NO_REUSE = Reuse("off")
