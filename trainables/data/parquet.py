"""Parquet files in the image layout of Hugging Face: DIR/train*.parquet and DIR/test*.parquet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.classes import CIFAR10_CLASSES
from trainables.data.pool import Pool, first_few
from trainables.errors import UserError, refuse

FOLDERS = (".", "data", "plain_text")  # where the hub's repositories keep their parquet files
IMAGE_COLUMNS = ("img", "image")  # struct {bytes, path}
LABEL_COLUMNS = ("label", "labels", "fine_label")  # whole numbers, or text
LABEL_TYPES = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    pictures: list[bytes | None]
    labels: list[int | str | None]
    places: list[str]


class ParquetSource:
    """Encoded pictures and labels in the columns of parquet files.

    Labels that are numbers get their names from the `ClassLabel` that Hugging Face stores in the
    training files' schema. Without one, ten classes beside an `img` column are CIFAR-10's, and
    others are named class_0, class_1, ... with zeros in front where that keeps their order.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> tuple[str, ...]:
        """Faults of both splits' files; only their footers are read."""
        return (*self._faults("train"), *self._faults("test"))

    def training_pool(self) -> Pool:
        """The rows of train*.parquet, files in the order of their names."""
        refuse(self._faults("train"))
        return self._pool("train")

    def training_classes(self) -> set[str]:
        """The classes that occur in the training files; pictures are not read."""
        refuse(self._faults("train"))
        names, cells = self._names_by_number(), self._label_cells()
        return {
            names[cell] if isinstance(cell, int) else str(cell)
            for cell in cells
            if cell is not None and (not isinstance(cell, int) or cell in names)
        }

    def sealed_test(self) -> Pool:
        """The rows of test*.parquet."""
        refuse(self.check())
        return self._pool("test")

    def _files(self, split: str) -> list[Path]:
        listings = (sorted((self.root / name).glob(f"{split}*.parquet")) for name in FOLDERS)
        return next(filter(None, listings), [])

    def _faults(self, split: str) -> list[str]:
        files = self._files(split)
        if not files:
            return [
                f"{self.root} holds no {split}*.parquet; allowed: there or in its folder "
                f"{' or '.join(FOLDERS[1:])}; put the files there or name another folder"
            ]
        return [fault for file in files for fault in _file_faults(file)]

    def _pool(self, split: str) -> Pool:
        rows = self._read_rows(split)
        names = self._names_by_number()
        refuse(first_few([*_row_faults(rows, names)]))
        return Pool(
            pictures=rows.pictures,  # type: ignore[arg-type]  # no None is left
            labels=[
                names[label] if isinstance(label, int) else str(label) for label in rows.labels
            ],
            places=rows.places,
        )

    def _read_rows(self, split: str) -> _Rows:
        rows = _Rows(pictures=[], labels=[], places=[])
        faults = []
        for file in self._files(split):
            image, label = _columns(pq.read_schema(file))
            try:
                table = pq.read_table(file, columns=[image, label])
            except (pa.ArrowException, OSError) as error:
                faults.append(_damaged(file, error))
                continue
            rows.pictures.extend(cell and cell["bytes"] for cell in table[image].to_pylist())
            rows.labels.extend(table[label].to_pylist())
            rows.places.extend(
                f"{file.relative_to(self.root)} row {row}" for row in range(table.num_rows)
            )
        if faults:
            raise UserError(*faults)
        return rows

    def _label_cells(self) -> set[Any]:
        """What occurs in the label column of the training files."""
        cells: set[Any] = set()
        for file in self._files("train"):
            _, label = _columns(pq.read_schema(file))
            try:
                table = pq.read_table(file, columns=[label])
            except (pa.ArrowException, OSError) as error:
                raise UserError(_damaged(file, error)) from error
            cells |= set(table[label].unique().to_pylist())
        return cells

    def _names_by_number(self) -> dict[int, str]:
        """The class name of each number in the training files; {} when the labels are text."""
        files = self._files("train")
        schema = pq.read_schema(files[0])
        image, label = _columns(schema)
        if not pa.types.is_integer(schema.field(label).type):
            return {}
        declared = _declared_names(schema, label)
        if declared:
            return dict(enumerate(declared))
        numbers = sorted(cell for cell in self._label_cells() if cell is not None and cell >= 0)
        if image == "img" and numbers == list(range(len(CIFAR10_CLASSES))):
            return dict(enumerate(CIFAR10_CLASSES))
        width = len(str(max(numbers, default=0)))
        return {number: f"class_{number:0{width}}" for number in numbers}


def _damaged(file: Path, error: Exception) -> str:
    return f"{file} is damaged ({error}); allowed: a whole parquet file; download it again"


def _file_faults(file: Path) -> Iterator[str]:
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        yield f"{file} cannot be read ({error}); allowed: a whole parquet file; download it again"
        return
    image, label = _columns(schema)
    found = f"it has {', '.join(schema.names) or 'none'}"
    if not image:
        yield (
            f"{file} has no column of pictures, {found}; allowed: {' or '.join(IMAGE_COLUMNS)} "
            "as a struct with the field bytes; rename or convert the column"
        )
    if not label:
        yield (
            f"{file} has no column of labels, {found}; allowed: {', '.join(LABEL_COLUMNS)} as "
            "whole numbers or text; rename or convert the column"
        )


def _columns(schema: pa.Schema) -> tuple[str, str]:
    """The names of the image and the label column; "" for one that is absent."""

    def is_image(kind: pa.DataType) -> bool:
        return pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0

    def is_label(kind: pa.DataType) -> bool:
        return any(test(kind) for test in LABEL_TYPES)

    present = {field.name: field.type for field in schema}
    image = (name for name in IMAGE_COLUMNS if name in present and is_image(present[name]))
    label = (name for name in LABEL_COLUMNS if name in present and is_label(present[name]))
    return next(image, ""), next(label, "")


def _declared_names(schema: pa.Schema, label: str) -> tuple[str, ...]:
    """The names of the `ClassLabel` feature; () when the schema declares none."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(map(str, features[label]["names"]))
    except (TypeError, KeyError, ValueError):
        return ()


def _row_faults(rows: _Rows, names: dict[int, str]) -> Iterator[str]:
    for picture, label, place in zip(rows.pictures, rows.labels, rows.places, strict=True):
        if not picture:
            yield (
                f"{place} has no bytes of a picture; allowed: an encoded picture in every row; "
                "embed the pictures in the file"
            )
        if label is None:
            yield f"{place} has no label; allowed: one in every row; remove the row"
        elif isinstance(label, int) and label not in names:
            known = ", ".join(f"{number} {name}" for number, name in names.items())
            yield f"{place} has the label {label}; allowed: {known}; correct or remove the row"
