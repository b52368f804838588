"""Axes with one row a name, values along the horizontal, and estimates with their intervals."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, MaxNLocator

from analysis.page.svg import COLOURS

MAX_TICKS = 6


def name_rows(
    axes: Axes, names: Sequence[str], xlabel: str, formatter: Formatter | None = None
) -> Axes:
    """Name the rows at heights 0, 1, ... from above; a formatter also bounds the ticks' number."""
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=xlabel)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=COLOURS.ink, length=0)
    if formatter:
        axes.xaxis.set_major_locator(MaxNLocator(MAX_TICKS))
        axes.xaxis.set_major_formatter(formatter)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    return axes


def draw_estimate(
    axes: Axes,
    place: float,
    estimate: Sequence[float],
    marker: str,
    colour: str,
    *,
    is_filled: bool = True,
    size: float = 6.5,
    across: Literal["row", "column"] = "row",
    label: str | None = None,
) -> None:
    """A mark at the value and a bar from the lower to the upper bound, in a row or a column.

    Args:
        place: of the row, or of the column.
        estimate: (value, lower, upper); NaN bounds leave the mark alone.
        marker: as matplotlib names it.
        colour: of both.
        is_filled: whether the mark is full, else hollow.
        size: of the mark, in points.
        across: which way the interval runs.
        label: of the mark, for a legend.
    """
    value, lower, upper = estimate
    bar: list[Any] = [[lower, upper], [place, place]]
    mark: list[Any] = [[value], [place]]
    if across == "column":
        bar, mark = bar[::-1], mark[::-1]
    fill = "full" if is_filled else "none"
    if math.isfinite(lower):
        axes.plot(*bar, color=colour, linewidth=2.4, alpha=0.55)
    axes.plot(*mark, marker, color=colour, markersize=size, fillstyle=fill, label=label)


def legend_above(axes: Axes, **layout: Any) -> None:
    """A legend over the axis, each label once: never on top of a curve."""
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(
        handles.values(),
        handles.keys(),
        **{"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "ncols": 2, **layout},
    )
