"""The optimism meter: how much of the search's best figure is the luck of being chosen.

The figure of the chosen configuration in the search is the best of N; that of the same
configuration with fresh seeds is free of selection. The difference between the two is what was
seen; best-of-N says what to expect.

Model: configuration i with seed s reaches m_i + b_s + e_is. All trials of a search share one seed,
so b_s (an easy or a hard split) moves all of them alike and selection is on m_i + e_is alone. The
standard deviation of e_is is that of the residuals of the confirmed matrix, configuration and seed
effects removed. What was seen holds b_s as well, so `error` says how far it can lie off by chance
alone.

The choice of the best epoch flatters a figure too and is not in the prediction.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NUM_DRAWS = 10_000

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """What the search promised of one configuration, and what fresh seeds held of it.

    Attributes:
        selected: validation figure in the search.
        fresh_mean: mean over the fresh seeds.
        fresh_sd: standard deviation over the fresh seeds.
        num_seeds: n.
        seen: selected - fresh_mean.
        error: standard error of `seen` when no choice had been made: fresh_sd * sqrt(1 + 1/n).
        num_candidates: N, trials of the search with a figure.
        noise_sd: of a trial's figure against the others' with the same seed; None when a single
            configuration was confirmed.
        expected: of N trials as far apart as this search's; None without noise_sd.
        expected_if_equal: of N equally good trials; None without noise_sd.
    """

    selected: float
    fresh_mean: float
    fresh_sd: float
    num_seeds: int
    seen: float
    error: float
    num_candidates: int
    noise_sd: float | None
    expected: float | None
    expected_if_equal: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    selected: float,
    fresh: FloatArray,
    matrix: FloatArray,
    search_figures: FloatArray,
    *,
    rng: np.random.Generator,
) -> Optimism:
    """Read the meter for one configuration.

    Args:
        selected: its figure in the search.
        fresh: its figures with fresh seeds, shape (n,), n >= 2.
        matrix: all confirmed configurations, shape (k, n); gives the noise when k >= 2.
        search_figures: the best figure of each of the search's N trials, shape (N,).
        rng: of the simulation.
    """
    spread = float(fresh.std(ddof=1))
    noise = residual_sd(matrix) if len(matrix) >= 2 else None
    expected = expected_if_equal = None
    if noise is not None:
        truths = shrunk(search_figures, noise)
        expected = expected_optimism(truths, noise, rng)
        expected_if_equal = expected_optimism(np.zeros_like(truths), noise, rng)
    return Optimism(
        selected=selected,
        fresh_mean=float(fresh.mean()),
        fresh_sd=spread,
        num_seeds=len(fresh),
        seen=selected - float(fresh.mean()),
        error=spread * float(np.sqrt(1 + 1 / len(fresh))),
        num_candidates=len(search_figures),
        noise_sd=noise,
        expected=expected,
        expected_if_equal=expected_if_equal,
    )


def residual_sd(matrix: FloatArray) -> float:
    """Standard deviation of e in m_i + b_s + e_is, with (k - 1)(n - 1) degrees of freedom."""
    num_configs, num_seeds = matrix.shape
    rows, columns = matrix.mean(axis=1, keepdims=True), matrix.mean(axis=0, keepdims=True)
    residuals = matrix - rows - columns + matrix.mean()
    return float(np.sqrt((residuals**2).sum() / ((num_configs - 1) * (num_seeds - 1))))


def shrunk(figures: FloatArray, noise_sd: float) -> FloatArray:
    """Figures drawn towards their mean until noise added to them would give their variance again.

    Measured figures lie further apart than the true ones, by the noise.
    """
    centre, variance = figures.mean(), figures.var(ddof=1) if len(figures) > 1 else 0.0
    if variance <= noise_sd**2:
        return np.full_like(figures, centre)
    shrunk_figures: FloatArray = centre + np.sqrt(1 - noise_sd**2 / variance) * (figures - centre)
    return shrunk_figures


def expected_optimism(
    truths: FloatArray, noise_sd: float, rng: np.random.Generator, num_draws: int = NUM_DRAWS
) -> float:
    """Mean over simulated searches of (best measured figure - its true one); shape (N,) truths."""
    noise = rng.normal(0.0, noise_sd, (num_draws, len(truths)))
    chosen = (truths + noise).argmax(axis=1)
    return float(noise[np.arange(num_draws), chosen].mean())
