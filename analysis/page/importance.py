"""Importances by setting, and by setting and class, in multiples of the noise level."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.page.plots import DEEPEST, FAINTEST
from analysis.page.row_axis import name_rows
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure
from analysis.statistics.metrics import FloatArray

ROW_PX, HEAD_PX = 30, 80  # height of a setting's row, and of what stands around the rows
CELL_PX, NAMES_PX = 44, 150  # width of a class' column, and of the settings' names
FULL_DEPTH = 3.0  # times the noise level: the deepest cell


def importance_bars(
    axes: Axes, names: Sequence[str], importances: FloatArray, named: Sequence[bool]
) -> Axes:
    """One row a setting: its importance as a bar with its interval, the noise level as a line.

    Args:
        importances: (value, lower, upper) in multiples of the noise level, shape (S, 3).
        named: whether a setting exceeds its noise; it is filled then, else hollow.
    """
    for row, ((value, lower, upper), is_named) in enumerate(zip(importances, named, strict=True)):
        axes.barh(
            row,
            value,
            height=0.55,
            facecolor=COLOURS.blue if is_named else "none",
            edgecolor=COLOURS.blue if is_named else COLOURS.muted,
            alpha=0.6 if is_named else 1,
        )
        axes.plot([lower, upper], [row, row], color=COLOURS.ink, linewidth=1.4)
    axes.axvline(1.0, color=COLOURS.gate, linewidth=1.4)
    axes.annotate(
        "noise level",
        (1.0, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, 3),
        textcoords="offset points",
        color=COLOURS.gate,
        fontsize=10.5,
    )
    axes.set(xlim=(0, None))
    return name_rows(axes, names, "importance, times the noise level")


def class_heatmap(
    axes: Axes,
    settings: Sequence[str],
    classes: Sequence[str],
    importances: FloatArray,
    named: FloatArray,
) -> Axes:
    """Importances by (setting, class), shape (S, K): a named one is boxed and bold.

    A cell deepens with the importance, up to three times the noise level.
    """
    for row, column in np.ndindex(importances.shape):
        value, is_named = float(importances[row, column]), bool(named[row, column])
        depth = max(DEEPEST * min(value / FULL_DEPTH, 1.0), FAINTEST)
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=COLOURS.blue, alpha=depth, linewidth=0))
        if is_named:
            axes.add_patch(
                Rectangle(corner, 1, 1, facecolor="none", edgecolor=COLOURS.ink, linewidth=1.4)
            )
        text = axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=10)
        text.set(fontweight="bold" if is_named else "normal", in_layout=False)
    axes.set(xlim=(-0.55, len(classes) - 0.45), ylim=(len(settings) - 0.45, -0.55))
    axes.set_xticks(range(len(classes)), classes, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(settings)), settings)
    axes.tick_params(length=0, labelcolor=COLOURS.ink)
    axes.tick_params(axis="x", labelbottom=False, labeltop=True, pad=1)
    axes.spines[:].set_visible(False)
    return axes


def importance_figures(section: Mapping[str, Any]) -> dict[str, Markup]:
    """Of a section with a test; none of one without."""
    rows, classes = section["settings"], section["classes"]
    if not rows:
        return {}
    names = [row["name"] for row in rows]
    labels = [name.replace("_", " ") for name in names]
    intervals = np.array([list(row["importance"].values()) for row in rows], dtype=float)
    drawn = {
        "importance": svg_figure(
            lambda axes: importance_bars(axes, labels, intervals, [row["named"] for row in rows]),
            size_px=(COLUMN_PX, HEAD_PX + ROW_PX * len(rows)),
            description="Importance of each setting for validation macro-F1, and the noise level.",
        )
    }
    if classes:
        cells = [{row["name"]: row for row in entry["settings"]} for entry in classes]
        values = np.array([[of[name]["importance"] for of in cells] for name in names], dtype=float)
        named = np.array([[of[name]["named"] for of in cells] for name in names])
        drawn["importance_classes"] = svg_figure(
            lambda axes: class_heatmap(
                axes, labels, [entry["name"] for entry in classes], values, named
            ),
            size_px=(
                max(NAMES_PX + CELL_PX * len(classes), COLUMN_PX),
                HEAD_PX + ROW_PX * len(rows),
            ),
            description="Importance of each setting for the validation F1 of each class.",
        )
    return drawn
