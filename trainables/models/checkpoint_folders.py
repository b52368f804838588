"""The checkpoints in a trial's folder: which one to go on from, and which ones to keep.

`TrialFolder` is where a worker finds and leaves them; `StoredTrialFolder` does so in a store.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trainables.errors import UserError
from trainables.models.checkpoints import CHECKSUMS, Checkpoint, load_checkpoint
from trainables.storage.store import Store, is_uri

# The best ones. An epoch is saved before Tune hears of it, so the best that Tune knows of is among
# the best two.
KEPT_BEST = 2
KEPT_NEWEST = 2  # the last one, and the one to fall back on should it be damaged


def folder_name(epoch: int) -> str:
    """A checkpoint's folder under its trial's, sorted by epoch."""
    return f"checkpoint_{epoch:04d}"


def store(checkpoint: Checkpoint, folder: Path, epoch: int) -> None:
    """Write a checkpoint under its trial's folder, where it appears whole or not at all."""
    path = folder / folder_name(epoch)
    part = folder / f".{path.name}"
    for left in (part, path):  # by a writer that was killed; or damaged, and trained once more
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir()
    try:
        checkpoint.save(part)
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def newest_readable(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that is whole, and a line on each newer one that is not.

    A damaged disk leaves such a one; training goes on from the one before.
    """
    refused: list[str] = []
    for path in sorted(folder.glob("checkpoint_*/"), reverse=True):
        try:
            load_checkpoint(path)
        except UserError as error:
            refused.append(f"{path.name} is passed over: {error.faults[0]}")
        else:
            return path, refused
    return None, refused


def drop_old(folder: Path, values: Mapping[int, float]) -> None:
    """Delete all but the best few and the newest.

    Args:
        folder: of the trial.
        values: validation macro-F1 by epoch.
    """
    epochs = sorted(values)
    best = sorted(epochs, key=lambda epoch: (-values[epoch], epoch))[:KEPT_BEST]
    kept = {folder_name(epoch) for epoch in (*best, *epochs[-KEPT_NEWEST:])}
    for path in folder.glob("checkpoint_*/"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


class TrialFolder:
    """A folder on this node."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def push(self, name: str) -> None:
        """Make a new checkpoint durable; a shared disk has it already."""


class StoredTrialFolder(TrialFolder):
    """A copy, on this node, of a trial's checkpoints in a store."""

    def __init__(self, path: Path, store: Store) -> None:
        super().__init__(path)
        self._store = store
        self._pushed: set[str] = set()  # names of checkpoints that the store has
        self._pull()

    def push(self, name: str) -> None:
        """Upload a new checkpoint, its checksums last, and drop those that are gone here.

        Raises:
            StoreError: the store cannot be reached.
        """
        files = sorted((self.path / name).iterdir(), key=lambda path: path.name == CHECKSUMS)
        for path in files:
            self._store.put(f"{name}/{path.name}", path)
        self._pushed.add(name)
        gone = self._pushed - {path.name for path in self.path.glob("checkpoint_*/")}
        if gone:
            self._store.delete([key for lost in sorted(gone) for key in self._store.sizes(lost)])
            self._pushed -= gone

    def _pull(self) -> None:
        """Bring the checkpoints; one without its checksums was never there: its upload was cut."""
        found = [key for key in self._store.sizes() if key.startswith("checkpoint_")]
        whole = {key.partition("/")[0] for key in found if key.endswith(f"/{CHECKSUMS}")}
        for key in found:
            if key.partition("/")[0] in whole:
                self._store.get(key, self.path / key)
        self._pushed = whole


@contextmanager
def fetched_file(address: str) -> Iterator[str]:
    """A file of the run by its path, or a copy of it while the body lasts, by its URI in a store.

    What follows the file's name (#PLACE) stays; "" stays "".
    """
    if not is_uri(address):
        yield address
        return
    folder, _, name = address.rpartition("/")
    key, mark, place = name.partition("#")
    with tempfile.TemporaryDirectory(prefix="two-phase-search-") as scratch:
        Store(folder).get(key, Path(scratch) / key)
        yield f"{Path(scratch) / key}{mark}{place}"


@contextmanager
def open_trial_folder(address: str) -> Iterator[TrialFolder]:
    """A trial's folder by its path (made where it is absent), or by its URI in a store.

    The copy of a folder in a store is gone when the body ends.
    """
    if is_uri(address):
        with tempfile.TemporaryDirectory(prefix="two-phase-search-") as scratch:
            yield StoredTrialFolder(Path(scratch), Store(address))
    else:
        path = Path(address)
        path.mkdir(parents=True, exist_ok=True)
        yield TrialFolder(path)
