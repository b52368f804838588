"""The best value so far as a staircase, by time and by epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.page.plots import PERCENT
from analysis.page.svg import COLOURS, svg_figure

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
