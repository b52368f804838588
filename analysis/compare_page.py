"""compare.json as one self-contained HTML page; computes nothing."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.compare_figures import compare_figures
from analysis.render import number, percent, points, setting


def render_comparison(compared: dict[str, Any]) -> str:
    """Fill the template with the contents of compare.json and their figures."""
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"number": number, "percent": percent, "points": points, "setting": setting}
    environment.filters |= filters
    template = environment.get_template("compare.html.j2")
    return template.render(**compared, figures=compare_figures(compared))
