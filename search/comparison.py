"""A trial on record and the same trial trained again, epoch by epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.monitoring.lines import PHASES

FIGURES = ("train_loss", "val_loss", "val_accuracy", "val_macro_f1")
COUNTS = "val_confusion"
TITLES = ("train loss", "val loss", "val accuracy", "val F1")
# Two lines: each figure as recorded and again, and what differs.
HEADER = (
    f"{'':>5}  {'':<8}  "
    + "  ".join(f"{title:^17}" for title in TITLES)
    + f"  {'pictures':>8}  {'largest':>10}\n{'epoch':>5}  {'phase':<8}  "
    + "  ".join([f"{'recorded':>8} {'again':>8}"] * len(FIGURES))
    + f"  {'moved':>8}  {'difference':>10}"
)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The two reports of one epoch. A figure that is no number is in neither."""

    recorded: dict[str, Any]
    again: dict[str, Any]

    @property
    def number(self) -> int:
        return int(self.recorded["epoch"])

    @property
    def moved(self) -> int:
        """Validation pictures that the two count in different cells of the confusion matrix."""
        rows = zip(self.recorded[COUNTS], self.again[COUNTS], strict=True)
        differences = [abs(a - b) for row in rows for a, b in zip(*row, strict=True)]
        return math.ceil(sum(differences) / 2)  # a picture leaves one cell and enters another

    @property
    def difference(self) -> float:
        """The largest of a figure, and of the share of validation pictures that moved."""
        share = self.moved / max(sum(map(sum, self.recorded[COUNTS])), 1)
        return max(share, *(self._differ(name) for name in FIGURES))

    def line(self) -> str:
        """Under `HEADER`."""
        figures = (
            f"{self._shown(self.recorded, name)} {self._shown(self.again, name)}"
            for name in FIGURES
        )
        difference = f"{self.difference:.1e}" if self.difference else "0"
        return (
            f"{self.number:>5}  {PHASES[self.recorded['phase']]:<8}  {'  '.join(figures)}  "
            f"{self.moved:>8}  {difference:>10}"
        )

    def _shown(self, report: dict[str, Any], name: str) -> str:
        return f"{report[name]:>8.5f}" if name in report else f"{'-':>8}"

    def _differ(self, name: str) -> float:
        match [report[name] for report in (self.recorded, self.again) if name in report]:
            case [one, other]:
                return float(abs(one - other))
            case [_]:
                return math.inf  # a number in one of them alone
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the two trainings agree, and how that is said."""

    is_identical: bool
    agrees: bool
    text: str


def judge(epochs: Sequence[Epoch], *, num_recorded: int, tolerance: float) -> Verdict:
    """Identical to the last digit, within a tolerance, or different.

    Args:
        epochs: as far as the trial got this time.
        num_recorded: epochs that it should have got to.
        tolerance: of a figure, and of the share of the validation pictures that moved.
    """
    if len(epochs) < num_recorded:
        text = f"differs: over after {len(epochs)} epochs, with {num_recorded} on record"
        return Verdict(is_identical=False, agrees=False, text=text)
    different = [epoch for epoch in epochs if epoch.difference]
    if not different:
        return Verdict(is_identical=True, agrees=True, text="identical to the last digit")
    worst, first = max(epoch.difference for epoch in different), different[0].number
    agrees = worst <= tolerance
    how = f"within {worst:.1e} of the record" if agrees else f"differs by up to {worst:.1e}"
    return Verdict(
        is_identical=False,
        agrees=agrees,
        text=f"{how}, from epoch {first} on; {tolerance:g} is allowed",
    )
