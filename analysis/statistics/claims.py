"""Claims and their verdicts: CONFIRMED or REFUTED by a whole interval, else INCONCLUSIVE.

Also effects and rates as sentences write them, with their intervals.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.statistics.intervals import CONFIDENCE, Estimate
from analysis.statistics.metrics import FloatArray

Word = Literal["CONFIRMED", "REFUTED", "INCONCLUSIVE", "NOT TESTED"]
MOST_NEEDED = 1_000  # beyond that, "so many more" is no advice


def verdict(estimated: Estimate, threshold: float) -> Word:
    """Of the claim that a quantity exceeds a threshold; an undefined one decides nothing."""
    if estimated.lower > threshold:
        return "CONFIRMED"
    return "REFUTED" if estimated.upper < threshold else "INCONCLUSIVE"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An assertion that a test decided, or could not decide: one row of the claims table.

    Attributes:
        claim: the assertion, in words that can be false.
        verdict: what the test says of it.
        effect: what was measured, with its interval; None where nothing was.
        unit: of the effect: "points" (of a share in [0, 1]), "ratio" or a unit's name.
        rule: when it would be CONFIRMED and when REFUTED.
        control: what the effect was compared with.
        num_images: that the effect rests on.
        detectable: the smallest effect that would have been seen in four of five tests (80 %
            power), in `unit`; None where it is not known.
        sentence: symptom, test and verdict for a reader, in one or two plain sentences.
        section: the report's section that tells more (the id of its heading).
    """

    claim: str
    verdict: Word
    effect: Estimate | None = None
    unit: str = "points"
    rule: str
    control: str
    num_images: int
    detectable: float | None = None
    sentence: str
    section: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def not_tested(claim: str, reason: str, *, rule: str, control: str, section: str) -> Claim:
    """The row of a claim whose test these data do not allow."""
    return Claim(
        claim=claim,
        verdict="NOT TESTED",
        rule=rule,
        control=control,
        num_images=0,
        sentence=f"Not tested: {reason}.",
        section=section,
    )


def exact_proportion(successes: int, total: int) -> Estimate:
    """A share with its exact interval (Clopper and Pearson 1934); out of none, anything goes."""
    if total == 0:
        return Estimate(value=math.nan, lower=0.0, upper=1.0)
    lower, upper = _clopper_pearson(np.array(successes), np.array(total))
    return Estimate(value=successes / total, lower=float(lower), upper=float(upper))


def draws_needed(successes: int, total: int, threshold: float) -> int | None:
    """The fewest draws that decide a share's claim if the share stays as it is; None: too many.

    Out of no draws the share is taken to be 0.
    """
    counts = np.arange(total + 1, MOST_NEEDED + 1)
    hits = np.rint(counts * (successes / total if total else 0.0))
    lower, upper = _clopper_pearson(hits, counts)
    decided = counts[(lower > threshold) | (upper < threshold)]
    return int(decided[0]) if len(decided) else None


def draws_needed_for_width(estimated: Estimate, total: int, threshold: float) -> int | None:
    """Likewise for any other estimate, whose interval shrinks with the root of the draws."""
    distance = abs(estimated.value - threshold)
    width = max(estimated.upper - estimated.value, estimated.value - estimated.lower)
    if math.isnan(distance) or not distance:
        return None
    needed = math.ceil(total * (width / distance) ** 2)
    return needed if needed <= MOST_NEEDED else None


def _clopper_pearson(
    successes: npt.NDArray[np.number], totals: npt.NDArray[np.number]
) -> tuple[FloatArray, FloatArray]:
    """Both ends of the exact intervals, each of the inputs' shape."""
    tail, failures = (1 - CONFIDENCE) / 2, totals - successes
    lower = stats.beta.ppf(tail, successes, failures + 1)
    upper = stats.beta.ppf(1 - tail, successes + 1, failures)
    return np.where(successes == 0, 0.0, lower), np.where(failures == 0, 1.0, upper)


def in_points(effect: Mapping[str, float]) -> str:
    """A change of a share: "+12.3 points (+8.1 to +16.5)"; without bounds where they are NaN."""
    value, lower, upper = (100 * effect[key] for key in ("value", "lower", "upper"))
    bounds = f" ({lower:+.1f} to {upper:+.1f})" if math.isfinite(lower) else ""
    return f"{value:+.1f} points{bounds}"


def in_percent(rate: Mapping[str, float]) -> str:
    """A share: "12.3 % (8.1 to 16.5)"."""
    value, lower, upper = (100 * rate[key] for key in ("value", "lower", "upper"))
    return f"{value:.1f} % ({lower:.1f} to {upper:.1f})"
