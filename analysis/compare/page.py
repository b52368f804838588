"""compare.json as one self-contained HTML page with its figures; computes nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.compare.arms import BASELINE, FLOOR, MARGIN
from analysis.page.environment import page_environment
from analysis.page.plots import DASHED
from analysis.page.row_axis import draw_estimate, name_rows
from analysis.page.svg import COLOURS, COLUMN_PX, svg_figure

ROW_PX = 38
POINTS = FuncFormatter(lambda share, _: f"{100 * share:+.3g}")


def differences(
    axes: Axes, names: Sequence[str], rows: Sequence[Sequence[float]], *, limit: float, title: str
) -> Axes:
    """One row an arm: the mean difference as a mark, its interval as a bar; 0 and a limit as lines.

    Args:
        names: of the arms.
        rows: (value, lower, upper) of each; NaN bounds leave the mark alone.
        limit: drawn dashed.
        title: of the horizontal axis.
    """
    axes.axvline(0, color=COLOURS.rule, linewidth=1.2)
    axes.axvline(limit, color=COLOURS.gate, linewidth=1.2, linestyle=DASHED)
    for place, estimate in enumerate(rows):
        draw_estimate(axes, place, estimate, "D", COLOURS.blue, size=6)
    return name_rows(axes, names, title, POINTS)


def compare_figures(compared: dict[str, Any]) -> dict[str, Markup]:
    """The page's figures as inline SVG, by name; none where no arm was tested."""
    arms = [arm for arm in compared["arms"] if arm["pair"] and arm["arm"] != BASELINE]
    if not arms:
        return {}
    names = [arm["arm"] for arm in arms]
    pair = " and ".join(compared["pair"])
    drawn = {
        "pair": (-FLOOR, "change of the pair's error rate, points", f"Change of confusing {pair}"),
        "macro_f1": (-MARGIN, "change of macro-F1, points", "Change of macro-F1"),
    }
    return {
        name: _figure(names, [_triple(arm[name]) for arm in arms], limit, title, text)
        for name, (limit, title, text) in drawn.items()
    }


def _figure(
    names: list[str], rows: list[list[float]], limit: float, title: str, text: str
) -> Markup:
    return svg_figure(
        lambda axes: differences(axes, names, rows, limit=limit, title=title),
        size_px=(COLUMN_PX, 70 + ROW_PX * len(names)),
        description=f"{text} by arm against the baseline, with 95 % intervals.",
    )


def _triple(difference: dict[str, float | None]) -> list[float]:
    bounds = (difference[name] for name in ("value", "lower", "upper"))
    return [np.nan if bound is None else bound for bound in bounds]


def render_comparison(compared: dict[str, Any]) -> str:
    """Fill the template with the contents of compare.json and their figures."""
    template = page_environment().get_template("compare.html.j2")
    return template.render(**compared, figures=compare_figures(compared))
