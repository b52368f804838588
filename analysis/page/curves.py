"""The best value so far as a staircase, and how often the model is right at each confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.page.plots import DASHED, PERCENT
from analysis.page.row_axis import draw_estimate
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure

MINUTE, HOUR = 60.0, 3600.0  # in seconds


def staircase(
    axes: Axes, places: Sequence[float], values: Sequence[float], end: float, unit: str
) -> Axes:
    """The best value so far; a dot marks each improvement, the line runs on to the end."""
    axes.step([*places, end], [*values, values[-1]], where="post", color=COLOURS.blue)
    axes.plot(places, values, "o", color=COLOURS.blue, markersize=4)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.grid(axis="y")
    axes.set(xlabel=unit, ylabel="best validation macro-F1", xlim=(0, None))
    return axes


def anytime_figures(section: Mapping[str, Any]) -> dict[str, Markup]:
    """Of a run with a value; none of one without."""
    steps = section["steps"]
    if not steps:
        return {}
    values = [step["value"] for step in steps]
    unit, name = (HOUR, "hours") if section["seconds"] >= 2 * HOUR else (MINUTE, "minutes")
    by_time = [step["seconds"] / unit for step in steps]
    by_epochs = [float(step["epochs"]) for step in steps]
    return {
        "anytime_time": svg_figure(
            lambda axes: staircase(
                axes, by_time, values, section["seconds"] / unit, f"{name} of searching"
            ),
            description="Best validation macro-F1 so far by the time of searching.",
        ),
        "anytime_epochs": svg_figure(
            lambda axes: staircase(
                axes, by_epochs, values, section["num_epochs"], "epochs of all trials"
            ),
            description="Best validation macro-F1 so far by the epochs of all trials.",
        ),
    }


def calibration_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """ "reliability" of a section that could be tested; none of another."""
    if section["untested"]:
        return {}
    return {
        "reliability": svg_figure(
            lambda axes: reliability_diagram(axes, section["curve"], section["num_images"]),
            size_px=(COLUMN_PX, COLUMN_PX),
            description="Accuracy by confidence, with the share of the images in each bin.",
        )
    }


def reliability_diagram(axes: Axes, curve: Sequence[Mapping[str, Any]], num_images: int) -> Axes:
    """Accuracy and its interval at each bin's mean confidence; steps: the bin's share of images."""
    axes.plot([0, 1], [0, 1], color=COLOURS.muted, linewidth=1, linestyle=DASHED)
    for row in curve:
        share, width = row["count"] / num_images, row["upper"] - row["lower"]
        axes.bar(row["lower"], share, width, align="edge", color=COLOURS.rule, linewidth=0)
        accuracy = [*row["accuracy"].values()]
        draw_estimate(axes, row["confidence"], accuracy, "o", COLOURS.blue, size=6, across="column")
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="confidence", ylabel="accuracy; share of images")
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.grid(axis="y")
    return axes
