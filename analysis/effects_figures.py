"""Effects of the settings as a forest plot."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure
from analysis.statistics.metrics import FloatArray

ROW_PX, HEAD_PX = 26, 80  # height of an effect's row, and of what stands around the rows
POINTS = FuncFormatter(lambda change, _: f"{100 * change:+.3g}" if change else "0")


def forest(
    axes: Axes, names: Sequence[str], effects: FloatArray, significant: Sequence[bool], floor: float
) -> Axes:
    """One row an effect: a mark with its interval, the zero line, what is too small shaded.

    Args:
        effects: (value, lower, upper) of macro-F1, shape (E, 3).
        significant: whether Holm's p-value is small; the mark is filled then, else hollow.
        floor: half the width of the zone of effects too small to matter.
    """
    axes.axvspan(-floor, floor, color=COLOURS.rule, alpha=0.5, linewidth=0)
    axes.axvline(0, color=COLOURS.muted, linewidth=1)
    for row, ((value, lower, upper), is_clear) in enumerate(zip(effects, significant, strict=True)):
        axes.plot([lower, upper], [row, row], color=COLOURS.blue, linewidth=2.4, alpha=0.55)
        style = "full" if is_clear else "none"
        axes.plot([value], [row], "o", color=COLOURS.blue, markersize=6.5, fillstyle=style)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="change of macro-F1, points")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=COLOURS.ink, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(POINTS)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    return axes


def effects_figures(section: Mapping[str, Any]) -> dict[str, Markup]:
    """Of a section with a test; none of one without."""
    rows = section["effects"]
    if not rows:
        return {}
    names = [f"{row['setting'].replace('_', ' ')}: {row['label']}" for row in rows]
    effects = np.array([list(row["effect"].values()) for row in rows], dtype=float)
    return {
        "effects": svg_figure(
            lambda axes: forest(
                axes, names, effects, [row["holm_p"] < 0.05 for row in rows], section["floor"]
            ),
            size_px=(1.5 * COLUMN_PX, HEAD_PX + ROW_PX * len(rows)),
            description="Effect of each setting on validation macro-F1 with its interval.",
        )
    }
