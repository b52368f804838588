"""Files that are whole or absent, and JSON that every reader accepts."""

from __future__ import annotations

import io
import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file in one step: a kill in the middle leaves the file that was there before."""
    part = f".{path.name}."  # hidden, so that it is not taken for a part of the run
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=part, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode())


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """As `write_bytes`, without the table's index."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """A record of a run."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_report_json(path: Path, content: dict[str, Any]) -> None:
    """What a page shows, characters as they are; NaN is refused, `without_nan` takes it out."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def without_nan(value: Any) -> Any:
    """Nested dictionaries and lists with None for NaN and the infinities, which JSON lacks."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
