"""The record as tables: trials.parquet has one row a trial, epochs.parquet one an epoch."""

from typing import Any

import pandas as pd

from search.records.folder import RunFolder
from search.records.record import CLOCK, OBJECTIVE, RunRecord
from trainables.storage.files import write_parquet


def trials_table(record: RunRecord) -> pd.DataFrame:
    """One row a trial: its status, what it reached, and a column `config/NAME` a setting."""
    rows = []
    for trial in record.trials.values():
        best = trial.best or {}
        last = trial.reports[-1] if trial.reports else {}
        rows.append(
            {
                "trial": trial.number,
                "status": trial.status,
                "epochs": len(trial.reports),
                "best_epoch": best.get("epoch"),
                f"best_{OBJECTIVE}": best.get(OBJECTIVE),
                f"last_{OBJECTIVE}": last.get(OBJECTIVE),
                "seconds": sum(report["epoch_seconds"] for report in trial.reports),
                "rung": trial.rung,
                "spared_at": trial.spared_at,
                "cause": trial.cause,
                "kind": trial.kind,
                **{f"config/{name}": value for name, value in trial.config.items()},
            }
        )
    return pd.DataFrame(rows).sort_values("trial", ignore_index=True) if rows else pd.DataFrame()


def epochs_table(record: RunRecord) -> pd.DataFrame:
    """One row a trial and epoch; `val_confusion` holds the counts row by row (row = true class)."""
    rows: list[dict[str, Any]] = []
    for trial in record.trials.values():
        for report in trial.reports:
            row: dict[str, Any] = {"trial": trial.number, CLOCK: None}
            for key, value in report.items():
                if isinstance(value, dict):
                    row |= {f"{key}/{name}": part for name, part in value.items()}
                elif key == "val_confusion":
                    row[key] = [count for counts in value for count in counts]
                else:
                    row[key] = value
            rows.append(row)
    return (
        pd.DataFrame(rows).sort_values(["trial", "epoch"], ignore_index=True)
        if rows
        else (pd.DataFrame())
    )


def write_tables(record: RunRecord, folder: RunFolder) -> None:
    """Write both tables, each atomically."""
    for table, path in (
        (trials_table(record), folder.trials_table),
        (epochs_table(record), folder.epochs_table),
    ):
        write_parquet(path, table)
