"""compare.json as one self-contained HTML page; computes nothing."""

from typing import Any

from analysis.compare.page import compare_figures
from analysis.page.environment import page_environment


def render_comparison(compared: dict[str, Any]) -> str:
    """Fill the template with the contents of compare.json and their figures."""
    template = page_environment().get_template("compare.html.j2")
    return template.render(**compared, figures=compare_figures(compared))
