"""How numbers and words are written on a page, and the environment that fills its templates."""

from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.errors.classes import weakest

EN_DASH = NOT_DEFINED = "\N{EN DASH}"


def page_environment() -> Environment:
    """Templates of this package; what is not defined is an error, and all values are escaped."""
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (percent, points, number, interval, setting, weakest)
    environment.filters |= {function.__name__: function for function in filters}
    return environment


def percent(share: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as a number of per cent; the sign stands in the sentence or the heading."""
    return NOT_DEFINED if share is None else f"{100 * share:.{digits}f}"


def points(change: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return NOT_DEFINED if change is None else f"{100 * change:+.1f}"


def number(value: float | None, digits: int = 0, sign: Literal["", "+"] = "") -> str:
    return NOT_DEFINED if value is None else f"{value:{sign},.{digits}f}"


def interval(estimate: dict[str, float | None]) -> str:
    """The bounds in per cent with an en dash between them; empty where undefined."""
    if estimate["value"] is None:
        return ""
    return f"{percent(estimate['lower'])}{EN_DASH}{percent(estimate['upper'])}"


def setting(value: Any) -> str:
    """A hyperparameter or a table cell, short."""
    if value is None:
        return NOT_DEFINED
    return f"{value:.3g}" if isinstance(value, float) else str(value)
