"""The run folder: where each record lies, and how one is opened."""

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainables.errors import UserError

FORMAT_VERSION = 1


class RunFolder:
    """The paths of one run's records."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.experiment = self.root / "experiment.json"
        self.journal = self.root / "journal.jsonl"
        self.study = self.root / "study.log"
        self.trials = self.root / "trials"
        self.trials_table = self.root / "trials.parquet"
        self.epochs_table = self.root / "epochs.parquet"
        self.best = self.root / "best.json"
        self.audit = self.root / "audit.json"
        self.confirm = self.root / "confirm"
        self.confirmation = self.root / "confirm.json"
        self.final = self.root / "final.json"
        self.export = self.root / "export"
        self.export_final = self.root / "export-final"

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
                    f"{self.root} exists; allowed: a new name, or --resume to go on with that run"
                ) from error

    def read_experiment(self) -> dict[str, Any]:
        """The run's settings and provenance; UserError when this is no run folder of ours."""
        try:
            experiment: dict[str, Any] = json.loads(self.experiment.read_text())
            version = experiment["format_version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.root} is no run folder ({error}); allowed: a folder that "
                "`python -m search.run` made, such as runs/demo"
            ) from error
        if version != FORMAT_VERSION:
            raise UserError(
                f"{self.root} has format_version {version!r}; "
                f"allowed: {FORMAT_VERSION}; use the release that wrote it"
            )
        return experiment

    def read_best(self) -> dict[str, Any]:
        """The winning trial, epoch and checkpoint; UserError when no epoch was finished yet."""
        if not self.best.exists():
            raise UserError(
                f"{self.root} has no best.json: no trial finished an epoch; "
                "let the search run on with --resume"
            )
        best: dict[str, Any] = json.loads(self.best.read_text())
        return best

    def read_final(self) -> dict[str, Any]:
        """The model that was trained on all pictures; UserError when there is none."""
        if not self.final.exists():
            raise UserError(
                f"{self.root} has no final.json; allowed: a run whose winner was trained on all "
                f"pictures; `python -m search.confirm {self.root} --final` does it"
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


def choose_folder(storage: str, name: str, stem: str, *, resume: bool) -> RunFolder:
    """The folder of a new run (not made yet), or of the one to resume.

    Without a name a new run is called `stem`, with the first number that is free.
    """
    root = Path(storage)
    if not name:
        name = next(n for n in _numbered(stem) if not (root / n).exists())
    folder = RunFolder(root / name)
    if resume and not folder.root.exists():
        raise UserError(f"--resume --name {name}: {folder.root} does not exist; start it without")
    if not resume and folder.root.exists():
        raise UserError(
            f"--name is {name!r}, but {folder.root} exists; allowed: a new name, or --resume to "
            "go on with that run"
        )
    _check_writable(root)
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all: a kill in the middle leaves the file that was there before."""
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def _numbered(stem: str) -> "list[str]":
    return [stem, *(f"{stem}-{number}" for number in range(2, 10_000))]


def _check_writable(root: Path) -> None:
    """The nearest folder that exists must take a new file."""
    existing = root.absolute()
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"--storage is {str(root)!r}, which cannot be written ({error.strerror}: {existing}); "
            "allowed: a folder where files can be made"
        ) from error
