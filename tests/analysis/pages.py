"""One section's partial template, rendered as the report renders it."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis import render


def render_section(name: str, **variables: Any) -> str:
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("percent", "points", "number", "interval", "setting")
    environment.filters |= {name: getattr(render, name) for name in names}
    template = environment.get_template(f"sections/{name}.html.j2")
    return template.render(command="python -m analysis.report RUN", confidence="95", **variables)
