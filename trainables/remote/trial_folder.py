"""The folder of a trial where its worker finds and leaves checkpoints, in a store too."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.checkpoints import CHECKSUMS
from trainables.remote.store import Store, is_uri


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
