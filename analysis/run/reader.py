"""A run folder as one checked value; everything the report knows of a search comes from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trainables.data.audit import AuditResult
from trainables.errors import refuse
from trainables.storage import journal
from trainables.storage.layout import (
    AUDIT,
    BEST,
    CONFIRMATION,
    EPOCHS,
    EXPERIMENT,
    FINISH_THE_SEARCH,
    JOURNAL,
    TRIALS,
    absent,
    check_run_files,
    read_json,
    unreadable,
)
from trainables.training.epoch_report import FIGURES

EXPERIMENT_KEYS = (
    "name",
    "command",
    "seed",
    "data",
    "data_fingerprint",
    "test_hash",
    "class_names",
)
BEST_KEYS = ("trial", "epoch", "phase", "config", "checkpoint", "val_macro_f1", "val_accuracy")
CONFIRMATION_KEYS = (
    *("seeds", "method", "configurations", "comparisons"),
    *("tie_set", "winner", "verdict", "optimism"),
)
CLOCK = "phase2_epoch"
TRIALS_COLUMNS = ("trial", "status", "epochs", "best_epoch", "best_val_macro_f1")
EPOCHS_COLUMNS = ("trial", "epoch", "phase", *FIGURES)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a search left behind.

    Attributes:
        path: the run folder.
        experiment: settings, seeds, versions, data and class names, as the search wrote them.
        best: the selected trial and epoch, its configuration and its validation figures; None
            when no trial has finished an epoch.
        trials: one row a trial; settings in columns "config/NAME".
        epochs: one row a trial and epoch.
        audit: result of the pre-flight audit; None when the run has none.
        confirmation: what `search.confirm` found; None when the run was not confirmed.
        checkpoint: folder of the selected epoch, inside `path`; None when it is not there.
    """

    path: Path
    experiment: dict[str, Any]
    best: dict[str, Any] | None
    trials: pd.DataFrame
    epochs: pd.DataFrame
    audit: AuditResult | None
    confirmation: dict[str, Any] | None
    checkpoint: Path | None

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.experiment["class_names"])

    def events(self) -> list[dict[str, Any]]:
        """The journal up to now, oldest first."""
        return journal.read(self.path / JOURNAL)

    def test_openings(self) -> list[dict[str, Any]]:
        """The journal's openings of the sealed test up to now, oldest first."""
        return [event for event in self.events() if event.get("event") == "test_opened"]


def read_run(path: Path) -> Run:
    """Read and check a run folder; UserError lists every fault that can be seen at once."""
    experiment = check_run_files(path)
    trials, epochs = _read_parquet(path / TRIALS), _read_epochs(path / EPOCHS)
    if len(epochs):
        refuse(absent(path, (BEST,)))
    best = read_json(path / BEST) if (path / BEST).is_file() else None
    refuse(
        [
            *_missing(path / EXPERIMENT, EXPERIMENT_KEYS, experiment),
            *(_missing(path / BEST, BEST_KEYS, best) if best else ()),
            *_missing(path / TRIALS, TRIALS_COLUMNS, trials),
            *_missing(path / EPOCHS, EPOCHS_COLUMNS, epochs),
        ]
    )
    checkpoint = None
    if best:
        refuse(_contradictions(path, best, trials, epochs))
        checkpoint = path / str(best["checkpoint"])
    return Run(
        path=path,
        experiment=experiment,
        best=best,
        trials=trials,
        epochs=epochs,
        audit=_read_audit(path / AUDIT) if (path / AUDIT).is_file() else None,
        confirmation=_read_confirmation(path / CONFIRMATION),
        checkpoint=checkpoint if checkpoint and checkpoint.is_dir() else None,
    )


def _contradictions(
    path: Path, best: dict[str, Any], trials: pd.DataFrame, epochs: pd.DataFrame
) -> Iterator[str]:
    """Faults between the files: best.json must name a recorded epoch and a folder of this run."""
    recorded = (epochs["trial"] == best["trial"]) & (epochs["epoch"] == best["epoch"])
    if not recorded.any() or not (trials["trial"] == best["trial"]).any():
        yield (
            f"{path / BEST} names trial {best['trial']!r}, epoch {best['epoch']!r}; allowed: one "
            f"that {TRIALS} and {EPOCHS} record; {FINISH_THE_SEARCH}"
        )
    checkpoint = path / str(best["checkpoint"])
    if not checkpoint.resolve().is_relative_to(path.resolve()):
        yield (
            f"checkpoint in {path / BEST} is {best['checkpoint']!r}; allowed: a path inside the "
            "run folder; restore the file that the search wrote"
        )


def _missing(
    path: Path, required: tuple[str, ...], present: dict[str, Any] | pd.DataFrame
) -> Iterator[str]:
    absent = [name for name in required if name not in present]
    if absent:
        yield (
            f"{path} lacks {', '.join(absent)}; allowed: a file with {', '.join(required)}; "
            "restore the file that the search wrote"
        )


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:  # pyarrow's errors derive from these
        raise unreadable(path, "a parquet table", error) from error


def _read_epochs(path: Path) -> pd.DataFrame:
    """The table; without columns, as it is written while there is no epoch, none of its rows."""
    table = _read_parquet(path)
    if len(table.columns):
        return table
    return pd.DataFrame({name: pd.Series(dtype=float) for name in (*EPOCHS_COLUMNS, CLOCK)})


def _read_audit(path: Path) -> AuditResult:
    try:
        return AuditResult.read(path)
    except (ValueError, TypeError, KeyError) as error:
        raise unreadable(path, "the result of a pre-flight audit", error) from error


def _read_confirmation(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    confirmation = read_json(path)
    refuse(_missing(path, CONFIRMATION_KEYS, confirmation))
    return confirmation
