"""A run folder on this machine whose changes go to a store.

The journal is the commit: it is read first and written last, so that whatever else is in the store
is at least as new as the journal there. What was taken away here goes last of all. The checkpoints
of trials are not copied: their workers write them to the store (`trial_folder`).
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from trainables.storage.layout import JOURNAL, TRIALS_FOLDER
from trainables.storage.lease import BEAT_S, Lease
from trainables.storage.store import Store

CHECKPOINT, EVENTS = "checkpoint_", "events.out.tfevents"
Stamp = tuple[int, int, int]  # of a file: its inode, bytes, and the time of its last change in ns


class Mirror:
    """A folder and the store that it is pulled from and pushed to.

    Args:
        folder: on this machine; need not be there yet.
        store: where the run's durable copy is.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self._pushed: dict[str, Stamp] = {}  # by key, what the store has
        self._kept: dict[str, str | None] = {}  # by a trial's key: the one checkpoint that stays
        self._due: set[str] = set()  # trials' keys whose other checkpoints are to go

    def pull(self) -> None:
        """Bring all that the store has, but for the checkpoints of trials."""
        for key in self.store.sizes():
            if _is_mirrored(key):
                path = self.folder / key
                self.store.get(key, path)
                self._pushed[key] = _stamp(path)

    def pull_checkpoint(self, key: str) -> None:
        """Bring one checkpoint, such as trials/trial_0003/checkpoint_0007."""
        for found in self.store.sizes(key):
            self.store.get(found, self.folder / found)

    def keep_checkpoint(self, trial: str, name: str | None) -> None:
        """Of an ended trial's checkpoints all but one (or all) go, after the next journal."""
        if trial not in self._kept or self._kept[trial] != name:
            self._kept[trial] = name
            self._due.add(trial)

    def push(self) -> None:
        """Bring the store up to the folder.

        Raises:
            StoreError: the store did not take it; what is in it is whole all the same.
        """
        found = {key: path for key, path in self._files() if _is_mirrored(key)}
        journals = [key for key in found if PurePosixPath(key).name == JOURNAL]
        stamps = {key: _stamp(found[key]) for key in journals}
        contents = {key: found[key].read_bytes() for key in journals}
        due = list(self._due)  # what the journals above have told
        for key in found.keys() - contents.keys():
            self._push_file(key, found[key])
        for key, content in contents.items():
            if self._pushed.get(key) != stamps[key]:
                self.store.put(key, content)
                self._pushed[key] = stamps[key]
        gone = self._pushed.keys() - found.keys()
        dropped = [key for trial in due for key in self._other_checkpoints(trial)]
        self.store.delete([*gone, *dropped])
        for key in gone:
            del self._pushed[key]

    def _push_file(self, key: str, path: Path) -> None:
        try:
            stamp = _stamp(path)  # before it is read: a change meanwhile is pushed once more
            if self._pushed.get(key) != stamp:
                self.store.put(key, path)
                self._pushed[key] = stamp
        except FileNotFoundError:
            return  # taken away meanwhile

    def _other_checkpoints(self, trial: str) -> list[str]:
        self._due.discard(trial)  # before the next line: who changes his mind is heard next time
        kept = self._kept[trial]
        return [
            key
            for key in self.store.sizes(trial)
            if (name := key.removeprefix(f"{trial}/").partition("/")[0]).startswith(CHECKPOINT)
            and name != kept
        ]

    def _files(self) -> Iterator[tuple[str, Path]]:
        for root, _, names in os.walk(self.folder):  # passes over what vanishes meanwhile
            for path in (Path(root) / name for name in names):
                if not path.is_symlink():
                    yield path.relative_to(self.folder).as_posix(), path


class Pusher:
    """Pushes a mirror every few seconds from a thread, as long as this process holds the lease.

    Args:
        mirror: to push.
        lease: that is held.
        on_fault: told once why nothing more is pushed.
    """

    def __init__(self, mirror: Mirror, lease: Lease, on_fault: Callable[[str], None]) -> None:
        self._mirror, self._lease, self._on_fault = mirror, lease, on_fault
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Push nothing more; returns when the push in progress is over."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.wait(BEAT_S):
            try:
                self._lease.beat()
                self._mirror.push()
            except Exception as error:  # a thread that died in silence would push nothing
                self._on_fault(str(error) or repr(error))
                return


def _is_mirrored(key: str) -> bool:
    """What a run's record is made of: no hidden file, and of trials only TensorBoard's events.

    Ray Tune keeps its own state in `trials/`, which nothing reads.
    """
    parts = PurePosixPath(key).parts
    if any(part.startswith(".") for part in parts):
        return False
    return TRIALS_FOLDER not in parts or parts[-1].startswith(EVENTS)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
