"""One section's partial template, rendered as the report renders it."""

from typing import Any

from analysis.page.environment import page_environment

METHOD = {"confidence": 0.95, "num_resamples": 2_000, "seed": 0}


def render_section(name: str, **variables: Any) -> str:
    template = page_environment().get_template(f"sections/{name}.html.j2")
    given = {"command": "python -m analysis.report RUN", "confidence": "95", "method": METHOD}
    return template.render(**given, **variables)
