"""What every source of pictures offers: a training pool and a sealed test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = bytes | Path | npt.NDArray[np.uint8]  # encoded, a file, or RGB pixels (H, W, 3)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Pictures, still encoded, so that only those a split draws are ever decoded.

    Attributes:
        pictures: N pictures; an array (N, S, S, 3) where a source has one.
        labels: the text label of each.
        places: where a person finds each: a path, or a file and a row.
        notes: what was done to come by them, for people to read.
    """

    pictures: Sequence[Picture] | npt.NDArray[np.uint8]
    labels: Sequence[str]
    places: Sequence[str]
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """One way to come by pictures."""

    def check(self) -> tuple[str, ...]:
        """The faults that can be found without reading the pictures; empty when all is well."""
        ...

    def training_pool(self) -> Pool:
        """What training and validation are drawn from; never opens the test pictures.

        Raises:
            UserError: with all faults, when the pool cannot be had.
        """
        ...

    def training_classes(self) -> Iterable[str]:
        """The text labels that occur in the training pool; where it can, without the pictures.

        Raises:
            UserError: with all faults, when the pool cannot be had.
        """
        ...

    def sealed_test(self) -> Pool:
        """The test split; for `trainables.data.load` alone.

        Raises:
            UserError: with all faults, when it cannot be had.
        """
        ...


def first_few(faults: Sequence[str], limit: int = 10) -> tuple[str, ...]:
    """The first faults and the number of those left out."""
    rest = len(faults) - limit
    return (*faults[:limit], *([f"and {rest:,} more like these"] if rest > 0 else []))
