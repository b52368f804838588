"""Intervals: how far a number would move with another draw of test images.

They cover the draw of images for one trained model. They do not cover another training seed.

Also here: sums over pictures that are drawn anew, and Kendall's rank correlation over a sample
whose members stand for different numbers of others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.statistics.metrics import FloatArray, IntArray

CONFIDENCE = 0.95
POWER = 0.8  # with which the smallest detectable effect would be seen
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


def resampled_sums(
    columns: npt.ArrayLike, num_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Column sums over N pictures drawn with replacement, each picture with all of its columns.

    Pictures with equal rows are interchangeable, so one multinomial draw over the distinct rows is
    a resample of all pictures; right-or-wrong columns have few of them.

    Args:
        columns: numbers of each picture, shape (N, C), N >= 1.
        num_resamples: R.
        rng: the only source of randomness.

    Returns:
        Shape (R, C).
    """
    rows, counts = np.unique(np.asarray(columns, dtype=np.float64), axis=0, return_counts=True)
    total = int(counts.sum())
    return np.asarray(rng.multinomial(total, counts / total, size=num_resamples) @ rows)


def weighted_kendall(early: FloatArray, final: FloatArray, weights: FloatArray) -> float:
    """Kendall's tau of two measurements; a pair of members weighs the product of their weights.

    Where members are drawn independently, each with a probability of its own, and weigh one over
    that probability, numerator and denominator are both unbiased (Horvitz and Thompson 1952) for
    the population's. Pairs with equal `final` values are left out; NaN when no pair is left.

    Args:
        early: of each member, shape (N,).
        final: of each member, shape (N,).
        weights: of each member, positive, shape (N,).
    """
    return float(_taus(early, final, weights[None])[0])


def kendall_estimate(
    early: FloatArray,
    final: FloatArray,
    weights: FloatArray,
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> Estimate:
    """The same with its bootstrap interval; members are resampled among those of equal weight."""
    counts = _resampled_counts(weights, num_resamples, rng)
    samples = _taus(early, final, counts * weights)
    return estimate(weighted_kendall(early, final, weights), samples)


def _taus(early: FloatArray, final: FloatArray, weights: FloatArray) -> FloatArray:
    """Tau under each row of weights; shapes (N,), (N,), (R, N) -> (R,)."""
    final_order = np.sign(final[:, None] - final)
    agreement = np.sign(early[:, None] - early) * final_order

    def over_pairs(pairs: FloatArray) -> FloatArray:
        return np.asarray(((weights @ pairs) * weights).sum(axis=1))

    comparable = over_pairs(np.abs(final_order))
    undefined = np.where(comparable > 0, comparable, np.nan)
    return over_pairs(agreement) / undefined


def _resampled_counts(
    weights: FloatArray, num_resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """How often each member is drawn in each resample, shape (R, N)."""
    counts = np.zeros((num_resamples, len(weights)), dtype=np.int64)
    for weight in np.unique(weights):
        members = np.flatnonzero(weights == weight)
        even = np.full(len(members), 1 / len(members))
        counts[:, members] = rng.multinomial(len(members), even, size=num_resamples)
    return counts
