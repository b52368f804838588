"""Effects and rates as sentences write them, with their intervals."""

import math
from collections.abc import Mapping


def in_points(effect: Mapping[str, float]) -> str:
    """A change of a share: "+12.3 points (+8.1 to +16.5)"; without bounds where they are NaN."""
    value, lower, upper = (100 * effect[key] for key in ("value", "lower", "upper"))
    bounds = f" ({lower:+.1f} to {upper:+.1f})" if math.isfinite(lower) else ""
    return f"{value:+.1f} points{bounds}"


def in_percent(rate: Mapping[str, float]) -> str:
    """A share: "12.3 % (8.1 to 16.5)"."""
    value, lower, upper = (100 * rate[key] for key in ("value", "lower", "upper"))
    return f"{value:.1f} % ({lower:.1f} to {upper:.1f})"
