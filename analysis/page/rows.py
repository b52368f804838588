"""Forest plots: estimates with their intervals by row, and a line at zero.

Effects of the settings, the classes' F1 against the macro mean, and the step at the unfreeze point
beside its placebos.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.page.plots import DASHED, KIND_MARKS
from analysis.page.row_axis import draw_estimate, legend_above, name_rows
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure
from analysis.statistics.metrics import MOST_SHOWN, FloatArray

POINTS = FuncFormatter(lambda share, _: f"{100 * share:+.0f}" if share else "0")
MARKS = (("s", COLOURS.blue), ("o", COLOURS.orange), ("D", COLOURS.ink))
ROW_PX, SERIES_PX, FRAME_PX = 16, 12, 90
Effects = Sequence[Mapping[str, Any]]
EFFECT_ROW_PX = 26
EFFECT_HEAD_PX = 80  # of what stands around the rows
EFFECT_POINTS = FuncFormatter(lambda change, _: f"{100 * change:+.3g}" if change else "0")
CONTRAST_ROW_PX = 38
CONTRAST_POINTS = FuncFormatter(lambda share, _: f"{100 * share:+.6g}")
STEP_ROW_PX = 44


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
    name_rows(axes, names, unit, POINTS)
    if len(series) > 1 and axes.get_legend_handles_labels()[0]:
        legend_above(axes, ncols=3, handlelength=1.0, columnspacing=1.2)
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


def effects_forest(
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
    for row, (effect, is_clear) in enumerate(zip(effects, significant, strict=True)):
        draw_estimate(axes, row, effect, "o", COLOURS.blue, is_filled=is_clear)
    return name_rows(axes, names, "change of macro-F1, points", EFFECT_POINTS)


def effects_figures(section: Mapping[str, Any]) -> dict[str, Markup]:
    """Of a section with a test; none of one without."""
    rows = section["effects"]
    if not rows:
        return {}
    names = [f"{row['setting'].replace('_', ' ')}: {row['label']}" for row in rows]
    effects = np.array([list(row["effect"].values()) for row in rows], dtype=float)
    return {
        "effects": svg_figure(
            lambda axes: effects_forest(
                axes, names, effects, [row["holm_p"] < 0.05 for row in rows], section["floor"]
            ),
            size_px=(1.5 * COLUMN_PX, EFFECT_HEAD_PX + EFFECT_ROW_PX * len(rows)),
            description="Effect of each setting on validation macro-F1 with its interval.",
        )
    }


def class_contrasts_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "contrasts" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    rows = farthest(section["classes"])
    return {
        "contrasts": svg_figure(
            lambda axes: class_contrasts(axes, rows, section["macro_f1"]),
            size_px=(COLUMN_PX, 80 + CONTRAST_ROW_PX * len(rows)),
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
        estimate, mark = [*row["difference"].values()], KIND_MARKS[row["kind"]]
        draw_estimate(axes, place, estimate, *mark, is_filled=row["separated"])
    names = [row["name"] for row in rows]
    return name_rows(axes, names, "F1 minus macro-F1, points", CONTRAST_POINTS)


def unfreeze_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "steps" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    rows = sorted(section["steps"], key=lambda row: row["epochs"])
    return {
        "steps": svg_figure(
            lambda axes: accuracy_steps(axes, rows),
            size_px=(COLUMN_PX, 70 + STEP_ROW_PX * len(rows)),
            description="Change of validation accuracy at the unfreeze point and beside it.",
        )
    }


def accuracy_steps(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> Axes:
    """One row a step from an epoch to the next: square at the unfreeze point, circle beside it."""
    axes.axvline(0, color=COLOURS.muted, linewidth=1)
    for place, row in enumerate(rows):
        is_jump = row["name"] == "unfreeze"
        mark = ("s", COLOURS.orange) if is_jump else ("o", COLOURS.blue)
        draw_estimate(axes, place, [*row["change"].values()], *mark)
    labels = [f"{row['name']}\n{row['epochs'][0]} to {row['epochs'][1]}" for row in rows]
    return name_rows(axes, labels, "change of validation accuracy, points", CONTRAST_POINTS)
