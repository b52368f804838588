"""The report's dictionary as one self-contained HTML page; computes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from analysis.page.environment import page_environment
from analysis.report.registry import SECTIONS
from analysis.report.section import Section, on_page


def render_html(
    report: dict[str, Any],
    pictures: Mapping[str, Markup],
    sections: Sequence[Section] = SECTIONS,
) -> str:
    """Fill the template with the contents of report.json, their figures and the pictures.

    Args:
        report: as `analysis.report.contents` makes it.
        pictures: thumbnails by name, from `analysis.page.figures.pictures`; empty where nothing
            could be asked.
        sections: the rows that the report was made from.
    """
    shown = on_page(sections, report)
    figures: dict[str, Markup] = {}
    for section in shown:
        figures |= section.draw(report)
    template = page_environment().get_template("report.html.j2")
    return template.render(**report, sections=shown, figures=figures | dict(pictures))
