"""Matplotlib figures as inline SVG whose colours are the page's CSS variables.

An artist is drawn in a stand-in colour of `COLOURS`; on the way out every stand-in becomes
`var(--NAME)`, so one figure follows the page from light to dark and onto paper.
"""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure


class Colours(NamedTuple):
    """Stand-ins by the name of the CSS variable; their values never reach the reader."""

    ink: str = "#00ff01"  # text and the marks that matter most
    muted: str = "#00ff02"  # axis labels, second-rank lines
    rule: str = "#00ff03"  # grid and axis lines
    blue: str = "#00ff04"  # right, rigid, validation
    orange: str = "#00ff05"  # wrong, organic, the second measure
    gate: str = "#00ff06"  # thresholds and events


COLOURS = Colours()
COLUMN_PX = 460  # width of a figure; two stand side by side on a desk, one on a phone
CURVES_PX = 310  # height of curves over epochs
POINTS_PER_INCH = 72  # matplotlib's SVG unit is the point; the page shows one as one px

STYLE: dict[Any, Any] = {  # the stubs would have every key as a literal
    "svg.fonttype": "none",  # text stays text: searchable, in the page's own font
    "text.parse_math": False,  # a class may be called "$x$"
    "font.size": 11,
    "text.color": COLOURS.ink,
    "axes.labelcolor": COLOURS.muted,
    "axes.labelsize": 10.5,
    "axes.edgecolor": COLOURS.rule,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": COLOURS.rule,
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS.rule,
    "ytick.color": COLOURS.rule,
    "xtick.labelcolor": COLOURS.muted,
    "ytick.labelcolor": COLOURS.muted,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


def svg_figure(
    draw: Callable[[Axes], Axes],
    *,
    size_px: tuple[float, float] = (COLUMN_PX, CURVES_PX),
    description: str,
) -> Markup:
    """A figure of the page, ready for the template; see `draw_svg`."""
    width_px, height_px = size_px
    return Markup(draw_svg(draw, width_px=width_px, height_px=height_px, description=description))


def draw_svg(
    draw: Callable[[Axes], Axes], *, width_px: float, height_px: float, description: str
) -> str:
    """Draw on one new axis and return its figure as an `<svg>` element for an HTML page.

    Touches no global state of matplotlib. Equal input gives equal bytes.

    Args:
        draw: one of `analysis.page.plots`, given its values, in the stand-in colours of `COLOURS`.
        width_px: of the figure at its natural size; the page may scale it.
        height_px: likewise.
        description: what the figure shows, for readers who cannot see it.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    size = (width_px / POINTS_PER_INCH, height_px / POINTS_PER_INCH)
    with mpl.rc_context({**STYLE, "svg.hashsalt": description}), warnings.catch_warnings():
        # Layout measures with matplotlib's font; the reader's browser picks its own.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    return _inline(buffer.getvalue(), description)


def _inline(document: str, description: str) -> str:
    """Keep what belongs inside a page: no prologue, no page-wide style, no clashing ids."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<style.*?</style>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*</defs>\s*", "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    for name, stand_in in COLOURS._asdict().items():
        svg = re.sub(rf"\b(fill|stroke): {stand_in}", rf"\1: var(--{name})", svg)
    width, height = re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2]
    opening = (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(description)}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1).strip()
