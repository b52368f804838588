"""Given values and an axis, draw. Nothing here computes a statistic or knows of files.

Every mark that carries meaning by its colour carries it by its shape or its place as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.page.row_axis import draw_estimate, legend_above, name_rows
from analysis.page.svg import COLOURS
from analysis.statistics.metrics import FloatArray

PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.6g}%")
MAX_COUNTED_CLASSES = 20  # beyond that a cell is too small for its count
MAX_DOTTED_EPOCHS = 30
FAINTEST, DEEPEST = 0.04, 0.6  # opacity of a cell; a count stays readable on the deepest
KIND_MARKS: Mapping[str | None, tuple[str, str]] = {
    "rigid": ("s", COLOURS.blue),
    "organic": ("o", COLOURS.orange),
    None: ("o", COLOURS.blue),
}
DASHED, DOTTED = (0, (4, 2)), (0, (1, 1.2))  # in line widths
CURVE_STYLES: Mapping[str, dict[str, Any]] = {
    "train_accuracy": {"label": "train accuracy", "color": COLOURS.muted, "linestyle": DASHED},
    "val_accuracy": {"label": "validation accuracy", "color": COLOURS.blue},
    "val_macro_f1": {"label": "validation macro-F1", "color": COLOURS.orange, "linestyle": DOTTED},
    "train_loss": {"label": "train loss", "color": COLOURS.muted, "linestyle": DASHED},
    "val_loss": {"label": "validation loss", "color": COLOURS.blue},
}
SELECTED_STYLE: Mapping[str, Any] = {
    "label": "selected epoch",
    "marker": "o",
    "markersize": 7,
    "fillstyle": "none",
    "linestyle": "none",
    "color": COLOURS.ink,
}
TRIAL_STYLES: Mapping[str, dict[str, Any]] = {  # in the order of drawing
    "stopped or failed": {
        "color": COLOURS.muted,
        "linewidth": 0.9,
        "alpha": 0.6,
        "linestyle": DASHED,
    },
    "finished": {"color": COLOURS.ink, "linewidth": 0.9, "alpha": 0.55},
    "winner": {"color": COLOURS.blue, "linewidth": 2.2},
}


def gate_interval(axes: Axes, macro_f1: Sequence[float], gate: float) -> Axes:
    """Macro-F1 as (value, lower, upper) on the whole scale from 0 to 1, the gate across it."""
    value, lower, upper = macro_f1
    axes.plot([0, 1], [0, 0], color=COLOURS.rule, linewidth=5, solid_capstyle="butt")
    axes.plot([gate, gate], [-0.5, 0.6], color=COLOURS.gate, linewidth=1.6)
    axes.text(gate, 0.75, f"gate {gate:.0%}", ha="center", va="bottom", color=COLOURS.gate)
    axes.plot([lower, upper], [0, 0], color=COLOURS.blue, linewidth=9, solid_capstyle="butt")
    axes.plot([value], [0], "o", color=COLOURS.ink, markersize=5)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.8, 1.6), yticks=[], xticks=np.linspace(0, 1, 6))
    axes.xaxis.set_major_formatter(PERCENT)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    return axes


def confusion_heatmap(
    axes: Axes,
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    shares: Sequence[Sequence[float | None]] | None = None,
) -> Axes:
    """Counts by (true row, predicted column): right ones in blue, confused ones in orange.

    Blue deepens with the share of the class recognised. Orange deepens with the share of the class
    confused, up to the largest such share, so that rare confusions stay visible.

    Args:
        counts: of the classes shown.
        names: of these.
        shares: of each count in its true class; None where the counts are all that there are.
    """
    table = np.asarray(counts)
    of_rows = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    depths = of_rows if shares is None else np.nan_to_num(np.array(shares, dtype=np.float64))
    right = np.eye(len(table), dtype=bool)
    largest_confusion = np.where(right, 0, depths).max(initial=0)
    for row, column in np.argwhere(table > 0):
        if row == column:
            colour, weight, depth = COLOURS.blue, "bold", depths[row, row]
        else:
            colour, weight = COLOURS.orange, "normal"
            depth = depths[row, column] / largest_confusion
        alpha = max(DEEPEST * float(depth), FAINTEST)
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, alpha=alpha, linewidth=0))
        if len(table) <= MAX_COUNTED_CLASSES:
            text = axes.text(column, row, str(table[row, column]), ha="center", va="center")
            text.set(fontweight=weight, in_layout=False)
    _class_ticks(axes, names)
    return axes


def _class_ticks(axes: Axes, names: Sequence[str]) -> None:
    count = len(names)
    size = 10.5 if count <= MAX_COUNTED_CLASSES else 7
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
    axes.set_xticks(range(count), names, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(count), names)
    axes.tick_params(length=0, labelsize=size, labelcolor=COLOURS.ink)
    axes.tick_params(axis="x", labelbottom=False, labeltop=True, pad=1)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="minor")
    axes.spines[:].set_visible(False)
    axes.xaxis.set_label_position("top")
    axes.set(xlabel="predicted", ylabel="true")


def class_f1(
    axes: Axes,
    names: Sequence[str],
    kinds: Sequence[str | None],
    intervals: FloatArray,
    macro_f1: float | None,
) -> Axes:
    """One row a class: its F1 as a mark, its interval as a bar, the macro mean as a line.

    Args:
        intervals: (value, lower, upper) of each class, shape (K, 3); NaN rows are left blank.
    """
    if macro_f1 is not None:
        axes.axvline(macro_f1, color=COLOURS.muted, linewidth=1, linestyle=DASHED)
        axes.annotate(
            f"macro mean {macro_f1:.1%}",
            (macro_f1, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center" if macro_f1 < 0.9 else "right",
            color=COLOURS.muted,
            fontsize=10.5,
        )
    for row, (kind, (value, lower, upper)) in enumerate(zip(kinds, intervals, strict=True)):
        if np.isnan(value):
            continue
        draw_estimate(axes, row, (value, lower, upper), *KIND_MARKS[kind])
    defined = intervals[~np.isnan(intervals)]
    low, high = (defined.min(), defined.max()) if defined.size else (0.0, 1.0)
    low, high = max(low - 0.02, 0.0), min(high + 0.02, 1.0)
    room = 0.02 * (high - low)  # for the marks at both ends
    axes.set(xlim=(low - room, high + room))
    return name_rows(axes, names, "F1", PERCENT)


def accuracy_curves(axes: Axes, trajectory: Mapping[str, Any]) -> Axes:
    """Accuracies and macro-F1 of the winner by epoch, with its unfreeze point and best epoch."""
    axes.yaxis.set_major_formatter(PERCENT)
    return _winner_curves(axes, trajectory, ("train_accuracy", "val_accuracy", "val_macro_f1"))


def loss_curves(axes: Axes, trajectory: Mapping[str, Any]) -> Axes:
    """Losses of the winner by epoch, with its unfreeze point and best epoch."""
    axes.set(ylabel="mean cross-entropy (nats)")
    return _winner_curves(axes, trajectory, ("train_loss", "val_loss"), falling=True)


def _winner_curves(
    axes: Axes, trajectory: Mapping[str, Any], names: Sequence[str], *, falling: bool = False
) -> Axes:
    epochs = trajectory["epochs"]
    marker = "." if len(epochs) <= MAX_DOTTED_EPOCHS else ""
    for name in names:
        axes.plot(epochs, trajectory["curves"][name], marker=marker, **CURVE_STYLES[name])
    best = trajectory["best_epoch"]
    value = trajectory["curves"][names[1]][epochs.index(best)]
    axes.plot([best], [value], **SELECTED_STYLE)
    _mark_unfreeze(axes, trajectory, at_top=falling)
    _epoch_axis(axes)
    _legend_above(axes)
    return axes


def search_curves(
    axes: Axes, curves: Sequence[Mapping[str, Any]], trajectory: Mapping[str, Any]
) -> Axes:
    """Validation macro-F1 of every trial by epoch; the winner on top, stopped ones dimmed."""

    def group(curve: Mapping[str, Any]) -> str:
        if curve["trial"] == trajectory["trial"]:
            return "winner"
        return "finished" if curve["status"] == "finished" else "stopped or failed"

    for label, style in TRIAL_STYLES.items():
        for curve in curves:
            if group(curve) == label:
                marker = "." if len(curve["epochs"]) == 1 else ""
                axes.plot(
                    curve["epochs"], curve["val_macro_f1"], marker=marker, label=label, **style
                )
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set(ylabel="validation macro-F1")
    _mark_unfreeze(axes, trajectory)
    _epoch_axis(axes)
    _legend_above(axes)
    return axes


def fresh_seeds(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    reported_trial: int,
    test: Sequence[float] | None,
) -> Axes:
    """One row a configuration: as selected, with each fresh seed, their mean; then the test.

    Args:
        rows: "trial", "selected", "figures" (None where a seed gave none) and "mean" of each.
        reported_trial: the trial whose checkpoint the test figure is of.
        test: (value, lower, upper) of macro-F1 on the sealed test, or None.
    """
    names = [f"trial {row['trial']}" for row in rows]
    for place, row in enumerate(rows):
        fresh = [value for value in row["figures"] if value is not None]
        axes.plot(
            [row["selected"]],
            [place],
            "o",
            fillstyle="none",
            color=COLOURS.ink,
            markersize=7,
            label="selected",
        )
        axes.plot(
            fresh, [place] * len(fresh), "|", color=COLOURS.blue, markersize=13, label="fresh seed"
        )
        if row["mean"] is not None:
            axes.plot(
                [row["mean"]], [place], "D", color=COLOURS.blue, markersize=6, label="their mean"
            )
    if test:
        draw_estimate(axes, len(names), test, "s", COLOURS.orange, label="sealed test")
        names.append(f"trial {reported_trial}, test")
    name_rows(axes, names, "macro-F1", PERCENT)
    _legend_above(axes)
    return axes


def pairs_in_order(
    axes: Axes,
    epochs: Sequence[int],
    shares: FloatArray,
    are_rungs: Sequence[bool],
    wanted: float,
) -> Axes:
    """Share of the pairs of trials that stand in the order of their ends, by phase-2 epoch.

    Args:
        shares: (value, lower, upper) of each epoch, shape (E, 3).
        are_rungs: whether ASHA judged at the epoch's end.
        wanted: the share that a rung should reach.
    """
    axes.axhline(wanted, color=COLOURS.gate, linewidth=1.2)
    axes.axhline(0.5, color=COLOURS.muted, linewidth=1, linestyle=DOTTED)
    for epoch, share, is_rung in zip(epochs, shares, are_rungs, strict=True):
        marker, colour = ("s", COLOURS.orange) if is_rung else ("o", COLOURS.blue)
        label = "a rung of ASHA" if is_rung else "no rung"
        draw_estimate(axes, epoch, share, marker, colour, across="column", label=label)
    axes.yaxis.set_major_formatter(PERCENT)
    _epoch_axis(axes)
    axes.set(xlabel="phase-2 epoch", ylabel="pairs in final order")
    _legend_above(axes)
    return axes


def _mark_unfreeze(axes: Axes, trajectory: Mapping[str, Any], *, at_top: bool = False) -> None:
    """A line between the winner's last phase-1 epoch and its first phase-2 epoch.

    Its name stands where no curve passes: low beside rising curves, high beside falling ones.
    """
    last_head_epoch = trajectory["last_head_epoch"]
    if last_head_epoch is None or last_head_epoch == trajectory["epochs"][-1]:
        return
    axes.axvline(last_head_epoch + 0.5, color=COLOURS.gate, linewidth=1.2)
    axes.annotate(
        "unfreeze",
        (last_head_epoch + 0.5, int(at_top)),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4 if at_top else 4),
        textcoords="offset points",
        va="top" if at_top else "bottom",
        color=COLOURS.gate,
        fontsize=10.5,
    )


def _epoch_axis(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    axes.set(xlabel="epoch")


def _legend_above(axes: Axes) -> None:
    legend_above(axes, handlelength=1.8, columnspacing=1.4, borderaxespad=0.2)
