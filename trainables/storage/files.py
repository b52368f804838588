"""Files that are whole or absent, and JSON that every reader accepts."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pandas as pd


def write_text(path: Path, text: str) -> None:
    """Replace `path` in one step; a kill in the middle leaves the old file."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Replace `path` in one step; a kill in the middle leaves the old file."""
    part = path.with_name(f".{path.name}.part")
    table.to_parquet(part, index=False)
    os.replace(part, path)


def write_json(path: Path, values: dict[str, Any]) -> None:
    write_text(path, json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def without_nan(value: Any) -> Any:
    """Nested dictionaries and lists with None for NaN and the infinities, which JSON lacks."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
