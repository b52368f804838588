"""The run folder: where each record lies, how one is opened, and the lock of who works on it."""

import errno
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trainables.errors import UserError
from trainables.models.run_weights import FOLDER as WEIGHTS
from trainables.models.run_weights import keep_weights, stand_ins
from trainables.models.weight_paths import join_place, split_place
from trainables.storage import layout
from trainables.storage.layout import EXPERIMENT, FORMAT_VERSION
from trainables.storage.store import Store, is_uri
from trainables.storage.working_copy import (
    WorkingCopy,
    check_writable,
    fetched,
    working_copy,
)

LOCK = ".lock"


class RunFolder:
    """The paths of one run's records.

    Args:
        root: folder on this machine.
        copy: what it is a copy of, where the run is in a store (docs/storage.md).
    """

    def __init__(self, root: Path, copy: WorkingCopy | None = None) -> None:
        self.root, self.copy = root.absolute(), copy
        self.experiment = self.root / EXPERIMENT
        self.journal = self.root / layout.JOURNAL
        self.study = self.root / layout.STUDY
        self.trials = self.root / layout.TRIALS_FOLDER
        self.trials_table = self.root / layout.TRIALS
        self.epochs_table = self.root / layout.EPOCHS
        self.best = self.root / layout.BEST
        self.audit = self.root / layout.AUDIT
        self.confirm = self.root / "confirm"
        self.confirmation = self.root / layout.CONFIRMATION
        self.final = self.root / layout.FINAL
        self.export = self.root / "export"
        self.export_final = self.root / "export-final"

    @classmethod
    def at(cls, address: str | Path) -> "RunFolder":
        """A run to read, by its path or its URI."""
        copy = fetched(str(address))
        return cls(copy.path, copy)

    def inside(self, name: str) -> "RunFolder":
        """The folder of trainings that belong to this run."""
        return RunFolder(self.root / name, self.copy)

    @property
    def is_pulled(self) -> bool:
        """Whether it is a copy of what a store has."""
        return self.copy is not None and self.copy.mirror is not None

    @property
    def address(self) -> str:
        """As every node finds it: a path, or a URI in a store."""
        return self.copy.shown(self.root) if self.copy else str(self.root)

    def keep_weights(self, given: str = "") -> None:
        """See that the run's weights are at hand (`run_weights`), for workers elsewhere too."""
        keep_weights(self.root, given)
        if self.copy and self.copy.mirror:  # a worker may want them before the next push
            store = self.copy.mirror.store
            for path in (self.root / WEIGHTS).glob("[!.]*"):
                key = path.relative_to(self.copy.path).as_posix()
                if not store.exists(key):
                    store.put(key, path)

    def stand_ins(self) -> dict[str, str]:
        """Files in place of weights that configurations name, as every node finds them."""
        found = stand_ins(self.root)
        if self.copy is None:
            return found
        places = {name: split_place(weights) for name, weights in found.items()}
        return {n: join_place(self.copy.shown(path), place) for n, (path, place) in places.items()}

    def shown(self, path: Path) -> str:
        """A path in it as it is typed from here: relative when below the working directory."""
        return shown(self.copy.shown(path) if self.copy else str(path))

    def keep_checkpoint(self, trial: str, name: str | None) -> None:
        """Of an ended trial's checkpoints only this one stays; None: none does."""
        if self.copy and self.copy.mirror:
            where = (self.trials / trial).relative_to(self.copy.path)
            self.copy.mirror.keep_checkpoint(where.as_posix(), name)
        for path in (self.trials / trial).glob("checkpoint_*/"):
            if path.name != name:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def made_whole(self) -> Iterator["RunFolder"]:
        """Make the folder of a new run: what the body writes in it appears at once, or not at all.

        Raises:
            UserError: another search has made this folder meanwhile.
        """
        beside, name = self.root.parent, self.root.name
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside, prefix=f".{name}.") as scratch:
            made = RunFolder(Path(scratch) / name)
            made.root.mkdir()
            yield made
            try:
                made.root.rename(self.root)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                raise UserError(
                    f"{self.address} exists; allowed: a new name, or --resume to go on with that "
                    "run"
                ) from error

    def read_experiment(self) -> dict[str, Any]:
        """The run's settings and provenance; UserError when this is no run folder of ours."""
        try:
            experiment: dict[str, Any] = json.loads(self.experiment.read_text())
            version = experiment["format_version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            cause = error.strerror if isinstance(error, OSError) else error
            raise UserError(
                f"{self.address} is no run folder ({EXPERIMENT}: {cause}); allowed: a folder that "
                "`python -m search.run` made, such as runs/demo"
            ) from error
        if version != FORMAT_VERSION:
            raise UserError(
                f"{self.address} has format_version {version!r}; "
                f"allowed: {FORMAT_VERSION}; use the release that wrote it"
            )
        return experiment

    def read_best(self) -> dict[str, Any]:
        """The winning trial, epoch and checkpoint; UserError when no epoch was finished yet."""
        if not self.best.exists():
            raise UserError(
                f"{self.address} has no best.json: no trial finished an epoch; "
                "let the search run on with --resume"
            )
        best: dict[str, Any] = json.loads(self.best.read_text())
        return best

    def read_final(self) -> dict[str, Any]:
        """The model that was trained on all pictures; UserError when there is none."""
        if not self.final.exists():
            raise UserError(
                f"{self.address} has no final.json; allowed: a run whose winner was trained on all "
                f"pictures; `python -m search.confirm {self.address} --final` does it"
            )
        final: dict[str, Any] = json.loads(self.final.read_text())
        return final

    def checkpoint(self, record: dict[str, Any]) -> Path:
        """The checkpoint that best.json or final.json names; UserError for one elsewhere."""
        path = self.root / str(record["checkpoint"])
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise UserError(
                f"checkpoint is {record['checkpoint']!r} in the record of {self.root}; allowed: a "
                "folder inside the run folder; restore the file that the search wrote"
            )
        return path


@contextmanager
def opened(address: str | Path, *, checkpoints: bool = True) -> Iterator[RunFolder]:
    """A run to work on, by its path or its URI (see `working_copy`)."""
    with working_copy(str(address), checkpoints=checkpoints) as copy:
        yield RunFolder(copy.path, copy)


def choose_address(storage: str, name: str, stem: str, *, resume: bool) -> str:
    """Where a new run goes (it is not made yet), or the one to resume is: a path or a URI.

    Without a name a new run is called `stem`, with the first number that is free.

    Raises:
        UserError: the name is taken, there is no such run, or nothing can be written there.
    """
    _check_writable(storage)
    if not name:
        name = next(n for n in _numbered(stem) if not _exists(join(storage, n)))
    address = join(storage, name)
    if resume and not _exists(address):
        raise UserError(f"--resume --name {name}: {address} does not exist; start it without")
    if not resume and _exists(address):
        raise UserError(
            f"--name is {name!r}, but {address} exists; allowed: a new name, or --resume to "
            "go on with that run"
        )
    return address


def shown(address: str) -> str:
    """An address as it is typed from here: relative where it is a path below this folder."""
    here = Path.cwd()
    inside = not is_uri(address) and Path(address).is_relative_to(here)
    return str(Path(address).relative_to(here)) if inside else address


def join(storage: str, name: str) -> str:
    """The address of a run in a folder of runs, which is a path or a URI."""
    if is_uri(storage):
        return f"{storage.rstrip('/')}/{name}"
    return str((Path(storage) / name).absolute())


def _numbered(stem: str) -> "list[str]":
    return [stem, *(f"{stem}-{number}" for number in range(2, 10_000))]


def _exists(address: str) -> bool:
    return Store(address).exists(EXPERIMENT) if is_uri(address) else Path(address).exists()


def _check_writable(storage: str) -> None:
    """A bucket, or the nearest folder that exists, must take a new file."""
    if is_uri(storage):
        check_writable(storage)
        return
    existing = Path(storage).absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"--storage is {storage!r}, which cannot be written ({error.strerror}: {existing}); "
            "allowed: a folder where files can be made"
        ) from error


@contextmanager
def exclusive_access(root: Path) -> Iterator[None]:
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
