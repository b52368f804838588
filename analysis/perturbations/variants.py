"""What the checkpoint said of changed pictures: one row a picture, variant and draw.

All statistics of the interventions run off this table, without a model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.statistics.metrics import FloatArray, IntArray
from trainables.errors import UserError
from trainables.storage.files import write_parquet

ORIGINAL = "original"
KEYS = ("index", "label", "variant", "draw", "donor_label")
NO_DONOR = -1
FILE = "variants.parquet"


@dataclass(frozen=True, kw_only=True, eq=False)
class Variants:
    """The table, and the answers by picture.

    Attributes:
        table: columns `index` (position in the test split), `label`, `variant`, `draw`,
            `donor_label` (-1 where there is no donor) and `logit/CLASS` for each class. Every
            picture has one row of the variant "original".
        class_names: K names, in the order of the labels.
        record: how the table was made: the rule of the sample, seeds, severities and seconds.
    """

    table: pd.DataFrame
    class_names: tuple[str, ...]
    record: dict[str, Any]

    def __post_init__(self) -> None:
        absent = [name for name in (*KEYS, *self._logit_columns) if name not in self.table]
        if absent:
            raise UserError(
                f"the table of variants lacks {', '.join(absent)}; allowed: the table that "
                "`python -m analysis.report` wrote; write it again"
            )

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._parts)

    @cached_property
    def labels(self) -> pd.Series:
        """True class of every sampled picture, by its index in the test split."""
        original = self.table[self.table["variant"] == ORIGINAL]
        return pd.Series(original["label"].to_numpy(), index=original["index"].to_numpy())

    def rows(self, variant: str) -> pd.DataFrame:
        """The rows of a variant; none where it was not made."""
        return self._parts.get(variant, self.table.iloc[:0])

    def logits(self, variant: str) -> npt.NDArray[np.float32]:
        """Of the rows of a variant, shape (R, K)."""
        return self.rows(variant)[self._logit_columns].to_numpy(dtype=np.float32)

    def by_picture(self, variant: str, values: npt.NDArray[Any]) -> pd.Series:
        """Values of a variant's rows, averaged over draws, by picture."""
        index = self.rows(variant)["index"].to_numpy()
        return pd.Series(values, index=index, dtype=float).groupby(level=0).mean()

    def score(
        self, variant: str, score: Callable[[pd.DataFrame, IntArray], npt.NDArray[Any]]
    ) -> pd.Series:
        """`score(rows, predictions)` of a variant, averaged over draws, by picture."""
        return self.by_picture(variant, score(self.rows(variant), self.predictions(variant)))

    def predictions(self, variant: str) -> IntArray:
        """Of the rows of a variant, shape (R,)."""
        return self._predictions[variant] if variant in self._parts else np.empty(0, np.int64)

    def right(self, variant: str) -> pd.Series:
        """Share of a picture's draws that are recognised, by picture."""
        return self.score(variant, lambda rows, found: found == rows["label"].to_numpy())

    def taken(self, variant: str) -> pd.DataFrame:
        """Share of a picture's draws that are taken for each class; a row a picture, K columns."""
        answers = np.eye(len(self.class_names))[self.predictions(variant)]
        index = self.rows(variant)["index"].to_numpy()
        return pd.DataFrame(answers, index=index).groupby(level=0).mean()

    def taken_for(self, variant: str, label: int) -> pd.Series:
        """Share of a picture's draws that are taken for a class, by picture."""
        return self.score(variant, lambda rows, found: found == label)

    def of_class(self, values: pd.Series, label: int) -> FloatArray:
        """Those of `values` (by picture) that are of a class and defined."""
        return values[self.labels.reindex(values.index) == label].dropna().to_numpy()

    def not_of_class(self, values: pd.Series, label: int) -> FloatArray:
        """Those of `values` (by picture) that are of any other class and defined."""
        return values[self.labels.reindex(values.index) != label].dropna().to_numpy()

    def save(self, folder: Path) -> None:
        """Write variants.parquet into a folder, with the record in its metadata."""
        table = self.table.copy(deep=False)
        table.attrs = {"class_names": list(self.class_names), "record": self.record}
        write_parquet(folder / FILE, table)

    @property
    def _logit_columns(self) -> list[str]:
        return [f"logit/{name}" for name in self.class_names]

    @cached_property
    def _parts(self) -> dict[str, pd.DataFrame]:
        return {str(name): rows for name, rows in self.table.groupby("variant", sort=False)}

    @cached_property
    def _predictions(self) -> dict[str, IntArray]:
        return {name: self.logits(name).argmax(axis=1) for name in self._parts}


def load_variants(path: Path) -> Variants:
    """Read what `Variants.save` wrote; UserError where the file is no such table."""
    try:
        table = pd.read_parquet(path)
        names, record = tuple(table.attrs["class_names"]), dict(table.attrs["record"])
    except (ValueError, OSError, KeyError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); allowed: a table of variants; "
            "write it again with `python -m analysis.report`"
        ) from error
    return Variants(table=table, class_names=names, record=record)
