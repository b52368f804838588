"""Figure of the step at the unfreeze point beside its placebos."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.class_contrasts_figures import POINTS
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure

ROW_PX = 44


def unfreeze_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "steps" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    rows = sorted(section["steps"], key=lambda row: row["epochs"])
    return {
        "steps": svg_figure(
            lambda axes: accuracy_steps(axes, rows),
            size_px=(COLUMN_PX, 70 + ROW_PX * len(rows)),
            description="Change of validation accuracy at the unfreeze point and beside it.",
        )
    }


def accuracy_steps(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> Axes:
    """One row a step from an epoch to the next: square at the unfreeze point, circle beside it."""
    axes.axvline(0, color=COLOURS.muted, linewidth=1)
    for place, row in enumerate(rows):
        is_jump = row["name"] == "unfreeze"
        marker, colour = ("s", COLOURS.orange) if is_jump else ("o", COLOURS.blue)
        value, lower, upper = row["change"].values()
        axes.plot([lower, upper], [place, place], color=colour, linewidth=2.4, alpha=0.55)
        axes.plot([value], [place], marker, color=colour, markersize=6.5)
    labels = [f"{row['name']}\n{row['epochs'][0]} to {row['epochs'][1]}" for row in rows]
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="change of validation accuracy, points")
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", labelcolor=COLOURS.ink, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(POINTS)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    return axes
