"""Two configurations trained with the same seeds: the mean difference, and what it may be.

A family of such tests is corrected by Holm's method (Holm 1979).

A seed's difference holds all that scatters: the split, the views, the weights, and the draw of the
validation pictures, which is another for every seed. So Student's t over the seeds covers both the
seeds and the pictures, and with few of them it is wide. Resampling cannot do as much here: a
percentile interval over three seeds covers 75 % at most, as the median of the differences lies
outside of their range with probability 2^(1 - n).
"""

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.power import TTestPower

from analysis.statistics.intervals import CONFIDENCE, POWER, Estimate
from analysis.statistics.metrics import FloatArray

ALPHA = 0.05  # chance of any false alarm in a family
LEAST_SEEDS = 2  # the fewest that have a scatter
NO_SCATTER = 1e-12


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Corrected p-values, shape (M,), in the order given; NaN stays NaN and is not counted.

    statsmodels' `multipletests(method="holm")` gives the same, but runs the garbage collector on
    every call, which takes 0.2 s in a process that has loaded PyTorch.
    """
    values = np.asarray(p_values, dtype=np.float64)
    defined = np.flatnonzero(~np.isnan(values))
    order = defined[np.argsort(values[defined], kind="stable")]
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1))
    return np.minimum(corrected, 1.0)


def paired_estimate(differences: FloatArray) -> Estimate:
    """The mean with Student's interval; `differences` has shape (S,), S >= 2.

    Without scatter the interval is undefined: a few equal differences are no proof.
    """
    _check(differences)
    mean = float(differences.mean())
    if not _scatters(differences):
        return Estimate(value=mean, lower=math.nan, upper=math.nan)
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(CONFIDENCE)
    return Estimate(value=mean, lower=float(interval.low), upper=float(interval.high))


def paired_p_value(differences: FloatArray) -> float:
    """Two-sided, of a mean of 0; 1 where the test is undefined."""
    _check(differences)
    return float(stats.ttest_1samp(differences, 0.0).pvalue) if _scatters(differences) else 1.0


def detectable(differences: FloatArray) -> float:
    """The mean difference that four of five such sets of seeds would tell from 0.

    NaN without scatter.
    """
    _check(differences)
    if not _scatters(differences):
        return math.nan
    return float(_detectable_sds(len(differences)) * differences.std(ddof=1))


@cache
def _detectable_sds(num_seeds: int) -> float:
    """In standard deviations of the differences (non-central t, Cohen 1988)."""
    power = TTestPower()
    return float(power.solve_power(nobs=num_seeds, alpha=1 - CONFIDENCE, power=POWER))


def _scatters(differences: FloatArray) -> bool:
    return bool(np.isfinite(differences).all() and np.ptp(differences) > NO_SCATTER)


def _check(differences: FloatArray) -> None:
    if differences.ndim != 1 or len(differences) < LEAST_SEEDS:
        raise ValueError(f"differences have shape {differences.shape}; allowed: (S,), S >= 2")
