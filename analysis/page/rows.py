"""Forest plots: effects with their intervals by row, zero line and effect floor."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure

POINTS = FuncFormatter(lambda share, _: f"{100 * share:+.0f}" if share else "0")
MARKS = (("s", COLOURS.blue), ("o", COLOURS.orange), ("D", COLOURS.ink))
ROW_PX, SERIES_PX, FRAME_PX = 16, 12, 90
Effects = Sequence[Mapping[str, Any]]


def forest(
    axes: Axes, names: Sequence[str], series: Mapping[str, Effects], *, floor: float, unit: str
) -> Axes:
    """One row a name and in it one bar a series; what does not reach the floor is shaded.

    Args:
        names: of the rows, from above.
        series: label -> "value", "lower" and "upper" of each row; None or NaN leaves a gap.
        floor: an effect that is smaller does not matter; the zone from -floor to floor is shaded.
        unit: on the axis.
    """
    axes.axvspan(-floor, floor, color=COLOURS.rule, alpha=0.45, linewidth=0)
    axes.axvline(0, color=COLOURS.muted, linewidth=1)
    for place, (label, effects) in enumerate(series.items()):
        marker, colour = MARKS[place % len(MARKS)]
        offset = 0.7 * ((place + 0.5) / len(series) - 0.5)
        for row, effect in enumerate(effects):
            if effect["value"] is None or effect["value"] != effect["value"]:
                continue
            height = [row + offset] * 2
            bounds = [effect["lower"], effect["upper"]]
            axes.plot(bounds, height, color=colour, linewidth=2, alpha=0.6)
            axes.plot(
                [effect["value"]], height[:1], marker, color=colour, markersize=5, label=label
            )
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=unit)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=COLOURS.ink, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(POINTS)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    if len(series) > 1 and handles:
        axes.legend(
            handles.values(),
            handles.keys(),
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=3,
            handlelength=1.0,
            columnspacing=1.2,
        )
    return axes


def forest_figure(
    names: Sequence[str], series: Mapping[str, Effects], *, floor: float, description: str
) -> Markup:
    """A forest plot in percentage points, as tall as its rows need."""
    height_px = FRAME_PX + len(names) * (ROW_PX + SERIES_PX * len(series))
    return svg_figure(
        lambda axes: forest(axes, names, series, floor=floor, unit="percentage points"),
        size_px=(COLUMN_PX, height_px),
        description=description,
    )
