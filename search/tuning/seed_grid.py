"""A grid of configurations x seeds, trained one seed after the other (`fixed_list`).

For one seed the configurations differ in nothing else, so that differences are paired by seed.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class SeedGrid(Generic[Row]):
    """Trial `row + column * len(rows)` is configuration `row` with seed `column`.

    Args:
        rows: what stands for each configuration, such as its name.
        seeds: of each configuration's trainings.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.seeds)

    def number(self, row: int, column: int) -> int:
        """The trial of a configuration and a seed, both by their positions."""
        return row + column * len(self.rows)

    def cells(self) -> dict[int, tuple[Row, int]]:
        """Each trial's configuration and seed, in the order in which they are trained."""
        cells = [(row, seed) for seed in self.seeds for row in self.rows]
        return dict(enumerate(cells))
