"""Figures of the confused pairs: counts against their expectation, and the tree of the classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from scipy.cluster.hierarchy import dendrogram

from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure
from analysis.statistics.metrics import FloatArray, IntArray

CELL_PX, LABELS_PX, LEAF_PX = 35, 110, 34
MAX_COUNTED_CLASSES = 20  # beyond that a cell is too small for its count
DEEPEST, DEEPEST_LOG2 = 0.6, 3.0  # opacity at 8 times the expectation, or at an eighth of it


def pairs_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "excess" and "tree" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    names, order = section["class_names"], section["clustering"]["order"]
    flagged = [
        (names.index(row["first"]), names.index(row["second"]))
        for row in section["pairs"]
        if row["flagged"] and {row["first"], row["second"]} <= {*names}
    ]
    side_px = LABELS_PX + max(
        min(CELL_PX * len(names), COLUMN_PX - LABELS_PX), CELL_PX * len(names) // 2
    )
    return {
        "excess": svg_figure(
            lambda axes: excess_matrix(
                axes,
                np.array(section["counts"]),
                np.array(section["expected"]),
                names,
                order,
                flagged,
            ),
            size_px=(side_px, side_px),
            description="Confusions against what each class' error rate lets expect.",
        ),
        "tree": svg_figure(
            lambda axes: class_tree(axes, section["clustering"], names),
            size_px=(COLUMN_PX, 60 + LEAF_PX * len(names)),
            description="Tree of the classes by how often they are confused, with co-membership.",
        ),
    }


def excess_matrix(
    axes: Axes,
    counts: IntArray,
    expected: FloatArray,
    names: Sequence[str],
    order: Sequence[int],
    flagged: Sequence[tuple[int, int]],
) -> Axes:
    """Counts by (true row, predicted column), coloured by log2(observed / expected).

    Orange and a bold count: more than expected; blue: fewer. A box surrounds flagged pairs. The
    diagonal is left blank, since nothing is expected of it.

    Args:
        counts: shape (K, K).
        expected: of each off-diagonal cell, shape (K, K).
        names: K class names.
        order: of the classes along both axes.
        flagged: pairs of classes.
    """
    place = {int(k): i for i, k in enumerate(order)}
    for true, predicted in np.argwhere(~np.eye(len(names), dtype=bool)):
        count, mean = counts[true, predicted], expected[true, predicted]
        excess = np.log2((count + 0.5) / (mean + 0.5))  # half a count: an empty cell has a colour
        row, column = place[int(true)], place[int(predicted)]
        colour = COLOURS.orange if excess > 0 else COLOURS.blue
        alpha = DEEPEST * min(abs(float(excess)) / DEEPEST_LOG2, 1.0)
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=alpha, linewidth=0)
        )
        if count and len(names) <= MAX_COUNTED_CLASSES:
            weight = "bold" if excess > 1 else "normal"
            text = axes.text(column, row, str(count), ha="center", va="center", fontweight=weight)
            text.set_in_layout(False)
    for first, second in flagged:
        for row, column in ((first, second), (second, first)):
            corner = (place[column] - 0.46, place[row] - 0.46)
            box = Rectangle(corner, 0.92, 0.92, fill=False, edgecolor=COLOURS.ink, linewidth=1.6)
            axes.add_patch(box)
    size = len(names)
    labels = [names[k] for k in order]
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    axes.set_xticks(range(size), labels, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(size), labels)
    axes.tick_params(length=0, labelcolor=COLOURS.ink, pad=1)
    axes.tick_params(axis="x", labelbottom=False, labeltop=True)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_label_position("top")
    axes.set(xlabel="predicted", ylabel="true")
    return axes


def class_tree(axes: Axes, clustering: dict[str, Any], names: Sequence[str]) -> Axes:
    """The dendrogram, and beside the leaves of each stable cluster its least co-membership."""
    tree = np.array(clustering["tree"])
    drawn = dendrogram(tree, no_plot=True)
    for heights, leaves in zip(drawn["dcoord"], drawn["icoord"], strict=True):
        axes.plot(heights, leaves, color=COLOURS.muted, linewidth=1.4)
    places = {leaf: 10 * i + 5 for i, leaf in enumerate(drawn["leaves"])}  # SciPy's spacing
    axes.set_yticks([places[k] for k in range(len(names))], names)
    for cluster in clustering["clusters"]:
        own = [places[names.index(name)] for name in cluster["classes"]]
        axes.plot([-0.03, -0.03], [min(own) - 3, max(own) + 3], color=COLOURS.ink)
        axes.annotate(
            f"{100 * cluster['co_membership']:.0f}%",
            (-0.05, sum(own) / len(own)),
            ha="left",
            va="center",
            annotation_clip=False,
        )
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set(xlim=(1.02, -0.2), ylim=(10 * len(names), 0), xlabel="distance (1: never confused)")
    axes.tick_params(axis="y", length=0, labelcolor=COLOURS.ink)
    axes.spines["left"].set_visible(False)
    return axes
