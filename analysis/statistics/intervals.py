"""Intervals: how far a number would move with another draw of test images.

They cover the draw of images for one trained model. They do not cover another training seed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.statistics.metrics import FloatArray, IntArray

CONFIDENCE = 0.95
NUM_RESAMPLES = 10_000
MAX_CELLS_AT_ONCE = 4_000_000  # bounds the memory of one batch of resamples to 32 MB
MAX_RESAMPLED_CELLS = 1_000_000_000  # bounds the time of a bootstrap to half a minute or so

Statistic = Callable[[IntArray], FloatArray]  # (..., K, K) -> (...) or (..., K)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval; all three are NaN where the value is undefined."""

    value: float
    lower: float
    upper: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def stratified_resamples(
    confusion: IntArray, num_resamples: int, rng: np.random.Generator
) -> Iterator[IntArray]:
    """Yield batches of resampled confusion matrices, each of shape (batch, K, K).

    Drawing n_k images of class k with replacement and counting their predictions is one
    multinomial draw over the filled cells of row k, so no image is touched. Class sizes stay as
    they are.
    """
    class_sizes = confusion.sum(axis=1)
    num_classes = len(class_sizes)
    most_filled = max(int((confusion > 0).sum(axis=1).max(initial=0)), 1)
    filled = np.argsort(confusion == 0, axis=1, kind="stable")[:, :most_filled]
    shares = np.take_along_axis(confusion, filled, axis=1) / np.maximum(class_sizes, 1)[:, None]
    batch = max(1, MAX_CELLS_AT_ONCE // num_classes**2)
    for start in range(0, num_resamples, batch):
        size = (min(batch, num_resamples - start), num_classes)
        resampled = np.zeros((*size, num_classes), dtype=np.int64)
        drawn = rng.multinomial(class_sizes, shares, size=size)
        np.put_along_axis(resampled, filled[None], drawn, axis=2)
        yield resampled


def affordable_resamples(num_resamples: int, num_classes: int) -> int:
    """So many bootstrap draws, or fewer where the matrices are large: 1,000 of 1,000 classes."""
    return min(num_resamples, max(MAX_RESAMPLED_CELLS // num_classes**2, 1))


def bootstrap(
    confusion: IntArray,
    statistics: Mapping[str, Statistic],
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Evaluate every statistic on the same stratified resamples.

    Args:
        confusion: counts, shape (K, K), row = true class.
        statistics: name -> function of confusion matrices, such as those in `metrics`.
        num_resamples: R.
        rng: the only source of randomness.

    Returns:
        name -> values of shape (R,) or (R, K).
    """
    batches = [
        {name: statistic(resampled) for name, statistic in statistics.items()}
        for resampled in stratified_resamples(confusion, num_resamples, rng)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in statistics}


def percentile_interval(samples: FloatArray, confidence: float = CONFIDENCE) -> FloatArray:
    """Central `confidence` range over the first axis, shape (2, ...).

    Undefined (NaN) samples are left out; a column without any defined sample gives NaN.
    """
    tail = (1 - confidence) / 2
    undefined = np.isnan(samples).all(axis=0)
    interval = np.nanquantile(np.where(undefined, 0.0, samples), [tail, 1 - tail], axis=0)
    return np.where(undefined, np.nan, interval)


def estimate(value: float, samples: FloatArray, confidence: float = CONFIDENCE) -> Estimate:
    """A scalar statistic with its bootstrap percentile interval; `samples` has shape (R,)."""
    lower, upper = percentile_interval(samples, confidence)
    return Estimate(value=float(value), lower=float(lower), upper=float(upper))


def proportion(successes: int, total: int, confidence: float = CONFIDENCE) -> Estimate:
    """A share with its Wilson score interval, which keeps its width at 0 and at 1."""
    if total == 0:
        return Estimate(value=np.nan, lower=np.nan, upper=np.nan)
    lower, upper = proportion_confint(successes, total, alpha=1 - confidence, method="wilson")
    return Estimate(value=successes / total, lower=float(lower), upper=float(upper))


def expected_maximum(count: int) -> float:
    """Expected largest of `count` independent standard normal draws (Blom's approximation)."""
    return float(stats.norm.ppf((count - 0.375) / (count + 0.25)))
