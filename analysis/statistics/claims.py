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

from analysis.statistics.intervals import CONFIDENCE, POWER, Estimate
from analysis.statistics.metrics import FloatArray

Word = Literal["CONFIRMED", "REFUTED", "INCONCLUSIVE", "NOT TESTED"]
MOST_NEEDED = 1_000  # beyond that, "so many more" is no advice
NORMAL_QUANTILE = float(stats.norm.ppf((1 + CONFIDENCE) / 2))  # half an interval, in errors


def verdict(estimated: Estimate, threshold: float, *, control_holds: bool = True) -> Word:
    """Of the claim that a quantity exceeds a threshold; an undefined one decides nothing.

    Args:
        estimated: the quantity.
        threshold: what it must exceed.
        control_holds: whether the claim's other conditions are met; where not, it is not confirmed.
    """
    if estimated.lower > threshold:
        return "CONFIRMED" if control_holds else "INCONCLUSIVE"
    return "REFUTED" if estimated.upper < threshold else "INCONCLUSIVE"


def standard_error(estimated: Estimate, quantile: float = NORMAL_QUANTILE) -> float:
    """Of an estimate, from the width of its interval of +- `quantile` standard errors."""
    return (estimated.upper - estimated.lower) / (2 * quantile)


def detectable_above(threshold: float, error: float, quantile: float = NORMAL_QUANTILE) -> float:
    """The smallest effect whose interval would exceed a threshold in four of five tests.

    Args:
        threshold: what the interval's lower end must exceed.
        error: standard error of the effect.
        quantile: half the width of its interval, in standard errors.
    """
    return float(threshold + (quantile + stats.norm.ppf(POWER)) * error)


def detectable_ratio_above(threshold: float, ratio: Estimate) -> float | None:
    """Likewise of a ratio, whose interval is as wide on the log scale wherever it lies."""
    if not 0 < ratio.lower < ratio.upper:
        return None
    error = np.log(ratio.upper / ratio.lower) / (2 * NORMAL_QUANTILE)
    return float(threshold * np.exp((NORMAL_QUANTILE + stats.norm.ppf(POWER)) * error))


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


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What a section claims, before any data: the fields are those of `Claim`."""

    claim: str
    rule: str
    control: str
    section: str

    def tested(
        self,
        verdict: Word,
        effect: Estimate | None,
        *,
        num_images: int,
        sentence: str,
        detectable: float | None = None,
        unit: str = "points",
    ) -> Claim:
        """The claim with what its test says; the arguments are the fields of `Claim`."""
        return Claim(
            claim=self.claim,
            verdict=verdict,
            effect=effect,
            unit=unit,
            rule=self.rule,
            control=self.control,
            num_images=num_images,
            detectable=detectable,
            sentence=sentence,
            section=self.section,
        )

    def not_tested(self, reason: str) -> Claim:
        """The claim where these data do not allow its test; `reason` is a clause."""
        sentence = f"Not tested: {reason}."
        return self.tested("NOT TESTED", None, num_images=0, sentence=sentence)


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
