"""Which of k configurations is the best, from figures that are paired by seed; numbers only.

The configuration with the best mean is compared with each of the others: k - 1 two-sided paired
t-tests, with Holm's correction (Holm 1979, "A simple sequentially rejective multiple test
procedure") at 5 %. Those that are not significantly worse form the tie set with it.

Of equally good configurations a winner is named wrongly in at most 5 % of all cases. The best mean
is chosen from the same figures, so one of several equals is left out of the tie set somewhat more
often: in 6 % of simulated cases with k = n = 3, in 10 % with k = 5 and n = 10.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.multitest import multipletests

ALPHA = 0.05
NUM_RESAMPLES = 10_000

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The best mean against one other configuration.

    Attributes:
        other: row of the other configuration.
        difference: mean over seeds of (best - other), never negative.
        t_interval: 95 % interval of it from Student's t, not corrected for the other comparisons.
        bootstrap_interval: 95 % percentile interval over resampled seeds; see
            `largest_bootstrap_coverage`.
        p_value: of the paired t-test.
        p_holm: corrected for the other comparisons.
        significant: whether p_holm is at most 5 %.
        least_significant: the smallest difference that these seeds could have shown: significant at
            this scatter whatever the other comparisons said.
    """

    other: int
    difference: float
    t_interval: Interval
    bootstrap_interval: Interval
    p_value: float
    p_holm: float
    significant: bool
    least_significant: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare_with_best(
    figures: FloatArray, *, rng: np.random.Generator, num_resamples: int = NUM_RESAMPLES
) -> tuple[int, list[Comparison]]:
    """The row of the best mean, and its comparison with each other row, in their order.

    Args:
        figures: shape (k, n): k configurations, n seeds; higher is better. k >= 1, n >= 2.
        rng: of the bootstrap.
        num_resamples: bootstrap draws.
    """
    num_configs, num_seeds = figures.shape
    assert num_configs >= 1
    assert num_seeds >= 2
    best = int(figures.mean(axis=1).argmax())
    others = [row for row in range(num_configs) if row != best]
    if not others:
        return best, []
    differences = figures[best] - figures[others]
    errors = differences.std(axis=1, ddof=1) / np.sqrt(num_seeds)
    p_values = [paired_p_value(row) for row in differences]
    rejected, corrected, _, _ = multipletests(p_values, alpha=ALPHA, method="holm")
    strictest = stats.t.isf(ALPHA / len(others) / 2, num_seeds - 1)
    return best, [
        Comparison(
            other=other,
            difference=float(differences[i].mean()),
            t_interval=_t_interval(differences[i]),
            bootstrap_interval=bootstrap_interval(differences[i], num_resamples, rng),
            p_value=p_values[i],
            p_holm=float(corrected[i]),
            significant=bool(rejected[i]),
            least_significant=float(strictest * errors[i]),
        )
        for i, other in enumerate(others)
    ]


def paired_p_value(differences: FloatArray) -> float:
    """Two-sided p-value of a mean of 0; 1 where the differences have no scatter.

    Without scatter the test is undefined, and a few equal differences are no proof.
    """
    if np.ptp(differences) <= 1e-12:
        return 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def bootstrap_interval(
    differences: FloatArray, num_resamples: int, rng: np.random.Generator
) -> Interval:
    """Percentile interval of the mean over resampled seeds."""
    result = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=num_resamples,
        confidence_level=1 - ALPHA,
        method="percentile",
        rng=rng,
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def largest_bootstrap_coverage(num_seeds: int) -> float:
    """The most that a percentile interval over so many seeds can cover.

    It lies within the range of the differences, and the median lies outside of that range when all
    differences fall on one side of it: with probability 2^(1 - n).
    """
    return float(1 - 2.0 ** (1 - num_seeds))


def seeds_for_bootstrap() -> int:
    """The fewest seeds with which a percentile interval can cover 95 %."""
    return next(n for n in range(2, 100) if largest_bootstrap_coverage(n) >= 1 - ALPHA)


def tie_set(best: int, comparisons: list[Comparison]) -> tuple[int, ...]:
    """The best row and those not significantly worse, in their order."""
    return tuple(sorted([best, *(c.other for c in comparisons if not c.significant)]))


def cheapest(rows: tuple[int, ...], costs: FloatArray) -> int:
    """The row of the least cost; the earlier one of two equals."""
    return min(rows, key=lambda row: (costs[row], row))


def _t_interval(differences: FloatArray) -> Interval:
    mean = float(differences.mean())
    error = float(stats.sem(differences))
    reach = float(stats.t.isf(ALPHA / 2, len(differences) - 1)) * error
    return mean - reach, mean + reach
