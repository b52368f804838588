"""The files of a run folder, checked in a moment: before anything heavy is imported."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainables.errors import UserError, refuse

FORMAT_VERSION = 1
EXPERIMENT, JOURNAL, STUDY = "experiment.json", "journal.jsonl", "study.log"
AUDIT, BEST, CONFIRMATION, FINAL = "audit.json", "best.json", "confirm.json", "final.json"
TRIALS, EPOCHS = "trials.parquet", "epochs.parquet"
TRIALS_FOLDER = "trials"
FINISH_THE_SEARCH = "let the search finish or continue it with `python -m search.run --resume`"


def check_run_files(path: Path) -> dict[str, Any]:
    """The contents of experiment.json; UserError where the folder is no run's."""
    if not (path / EXPERIMENT).is_file():
        raise UserError(
            f"run is {str(path)!r}; allowed: a folder with {EXPERIMENT}, as `python -m search.run` "
            "makes it; give the path of such a folder"
        )
    experiment = read_json(path / EXPERIMENT)
    version = experiment.get("format_version")
    if version != FORMAT_VERSION:
        raise UserError(
            f"format_version of {path / EXPERIMENT} is {version!r}; allowed: {FORMAT_VERSION}; "
            "read the run with the release that wrote it"
        )
    refuse(absent(path, (TRIALS, EPOCHS)))
    return experiment


def absent(path: Path, names: tuple[str, ...]) -> Iterator[str]:
    """A fault for each file that the folder lacks."""
    for name in names:
        if not (path / name).is_file():
            yield (
                f"{path / name} is missing; allowed: the folder of a run as the search wrote it; "
                f"{FINISH_THE_SEARCH}"
            )


def read_json(path: Path) -> dict[str, Any]:
    """One JSON object; UserError for anything else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise unreadable(path, "one JSON object", error) from error
    if not isinstance(values, dict):
        raise unreadable(path, "one JSON object", f"found {type(values).__name__}")
    return values


def unreadable(path: Path, allowed: str, cause: object) -> UserError:
    return UserError(
        f"{path} cannot be read ({cause}); allowed: {allowed}; "
        "restore the file that the search wrote"
    )
