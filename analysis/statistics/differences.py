"""Effects from paired differences: value, interval, test and the smallest effect that shows.

A picture answers before and after a change; the difference of the two answers is one number in
[-1, 1] a picture (draws of a random change are averaged first). Effects of separate pictures are
independent, so that they can be added and subtracted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from analysis.statistics.claims import Word
from analysis.statistics.intervals import CONFIDENCE, POWER, Estimate
from analysis.statistics.paired_tests import ALPHA

FEWEST_IMAGES = 10  # fewer pictures bear no interval that would hold


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A mean difference; everything is NaN where it rests on too few pictures.

    Attributes:
        value: the mean.
        centre: of the interval; the same, or pulled a little towards 0.
        standard_error: of `centre`.
        num_images: pictures that it rests on.
    """

    value: float
    centre: float
    standard_error: float
    num_images: int

    @property
    def estimate(self) -> Estimate:
        reach = float(ndtri((1 + CONFIDENCE) / 2)) * self.standard_error
        return Estimate(value=self.value, lower=self.centre - reach, upper=self.centre + reach)

    @property
    def p_value(self) -> float:
        """Two-sided, of no effect."""
        if not self.standard_error > 0:
            return math.nan
        return float(2 * ndtr(-abs(self.centre) / self.standard_error))

    def detectable(self, floor: float = 0.0, family: int = 1) -> float:
        """The smallest effect that would pass in four of five tests (80 % power).

        To pass is to have the interval's lower end at `floor` or above, and to be significant as
        the first of a family of that size (Holm's sternest step).
        """
        seen = ndtri(POWER)
        above_floor = floor + (ndtri((1 + CONFIDENCE) / 2) + seen) * self.standard_error
        significant = (ndtri(1 - ALPHA / 2 / family) + seen) * self.standard_error
        return float(max(above_floor, significant))

    def to_dict(self) -> dict[str, Any]:
        return {**self.estimate.to_dict(), "p": self.p_value, "num_images": self.num_images}


def share_difference(differences: npt.ArrayLike) -> Effect:
    """Of differences of shares, each in [-1, 1], one a picture.

    Agresti and Min (2005): half a picture is added to each cell of the paired table, so that the
    interval keeps a width where no answer changed. Means over draws enter as they are.
    """
    values = np.asarray(differences, dtype=np.float64)
    count = len(values)
    if count < FEWEST_IMAGES:
        return undefined(count)
    centre = values.sum() / (count + 2)
    variance = (np.square(values).sum() + 1) / (count + 2) - centre**2
    return Effect(
        value=float(values.mean()),
        centre=float(centre),
        standard_error=math.sqrt(variance / (count + 2)),
        num_images=count,
    )


def mean_difference(differences: npt.ArrayLike) -> Effect:
    """Of differences without bounds, such as those of logits."""
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < FEWEST_IMAGES:
        return undefined(len(values))
    mean = float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return Effect(value=mean, centre=mean, standard_error=error, num_images=len(values))


def undefined(num_images: int) -> Effect:
    return Effect(value=math.nan, centre=math.nan, standard_error=math.nan, num_images=num_images)


def combine(effects: Sequence[Effect], weights: Sequence[float]) -> Effect:
    """The weighted sum of effects on separate pictures; NaN as soon as one is undefined."""
    shares = np.asarray(weights, dtype=np.float64)

    def total(values: list[float]) -> float:
        return float(shares @ np.array(values))

    variances = np.square([effect.standard_error for effect in effects])
    return Effect(
        value=total([effect.value for effect in effects]),
        centre=total([effect.centre for effect in effects]),
        standard_error=math.sqrt(float(np.square(shares) @ variances)),
        num_images=sum(effect.num_images for effect in effects),
    )


def against_the_mean(effect: Effect, others: Sequence[Effect]) -> Effect:
    """The effect minus the mean of the others that are defined (difference in differences)."""
    defined = [other for other in others if not math.isnan(other.value)]
    if not defined:
        return undefined(effect.num_images)
    return combine([effect, *defined], [1.0, *[-1 / len(defined)] * len(defined)])


def passes(effect: Effect, p_holm: float, floor: float) -> bool:
    """Significant within its family, and the whole interval at the floor or above."""
    return bool(p_holm < ALPHA and effect.estimate.lower >= floor)


def word(effect: Effect, *, confirmed: bool, floor: float) -> Word:
    """REFUTED where the whole interval lies below what would matter."""
    if confirmed:
        return "CONFIRMED"
    return "REFUTED" if effect.estimate.upper < floor else "INCONCLUSIVE"
