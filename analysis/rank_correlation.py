"""Kendall's rank correlation over a sample whose members stand for different numbers of others."""

import numpy as np
import numpy.typing as npt

from analysis.statistics.intervals import Estimate, estimate
from analysis.statistics.metrics import FloatArray


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
