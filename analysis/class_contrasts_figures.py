"""Figure of the classes' F1 against the macro mean, with intervals that hold all at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.page.plots import DASHED, KIND_MARKS
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure
from analysis.statistics.metrics import MOST_SHOWN

ROW_PX = 38
POINTS = FuncFormatter(lambda share, _: f"{100 * share:+.6g}")


def class_contrasts_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "contrasts" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    rows = farthest(section["classes"])
    return {
        "contrasts": svg_figure(
            lambda axes: class_contrasts(axes, rows, section["macro_f1"]),
            size_px=(COLUMN_PX, 80 + ROW_PX * len(rows)),
            description="F1 of each class minus macro-F1, with simultaneous intervals.",
        )
    }


def farthest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows up to 40; of more, those farthest from the mean, from the lowest to the highest."""
    if len(rows) <= MOST_SHOWN:
        return rows
    kept = sorted(rows, key=lambda row: -abs(row["difference"]["value"]))[:MOST_SHOWN]
    return sorted(kept, key=lambda row: row["difference"]["value"])


def class_contrasts(axes: Axes, rows: Sequence[Mapping[str, Any]], macro_f1: float) -> Axes:
    """One row a class; a full mark stands apart from the mean, a hollow one does not."""
    axes.axvline(0, color=COLOURS.muted, linewidth=1, linestyle=DASHED)
    axes.annotate(
        f"macro mean {macro_f1:.1%}",
        (0, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        color=COLOURS.muted,
    )
    for place, row in enumerate(rows):
        marker, colour = KIND_MARKS[row["kind"]]
        value, lower, upper = row["difference"].values()
        axes.plot([lower, upper], [place, place], color=colour, linewidth=2.4, alpha=0.55)
        fill = "full" if row["separated"] else "none"
        axes.plot([value], [place], marker, color=colour, markersize=6.5, fillstyle=fill)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="F1 minus macro-F1, points")
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.tick_params(axis="y", labelcolor=COLOURS.ink, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(POINTS)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    return axes
