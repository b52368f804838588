"""PED-ANOVA for many sets of top trials at once.

Watanabe, Bansal and Hutter 2023, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
Arbitrary Subspaces"; for settings that are not always asked, its conditional form of 2026
(arXiv 2601.20800). A setting matters as far as its distribution among the top trials differs from
that among all trials tried, so a search that tries good values more often is accounted for.

The numbers are those of `optuna.importance.PedAnovaImportanceEvaluator`. That one takes a
millisecond a setting and a set of top trials; the null and the intervals take a thousand sets.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve
from scipy.special import ndtr

from analysis.statistics.metrics import FloatArray
from analysis.trials.compared_trials import Setting

NUM_STEPS = 50  # of a number's range
PRIOR_WEIGHT = 1.0  # of a flat kernel, in trials
LEAST_SIGMA = 0.5 / 1.64  # in steps: nine tenths of a kernel within one step
LEAST_IN_REGIME = 2  # trials that ask a setting, below which it is left out
TINY = 1e-12  # keeps a ratio of densities defined

BoolArray = npt.NDArray[np.bool_]

# The prior's kernel: in the middle of the grid, as wide as all of it.
_FLAT = np.diff(ndtr((np.arange(NUM_STEPS + 1) - NUM_STEPS / 2) / NUM_STEPS))
_FLAT /= _FLAT.sum()


def ped_anova(setting: Setting, top: BoolArray, tried: BoolArray) -> FloatArray:
    """Importance of one setting for belonging to the top trials, under each of R selections.

    Args:
        setting: of N trials.
        top: the trials that did best, shape (R, N); at least one in each row.
        tried: all trials that the top ones were chosen from, shape (R, N), or (1, N) for all R.

    Returns:
        Weighted Pearson divergences, shape (R,); 0 where both distributions agree.
    """
    cells = _cells(setting)[setting.asked]
    num_cells = len(setting.levels) or NUM_STEPS
    of_cell = np.eye(num_cells)[cells]
    top_counts, tried_counts = top[:, setting.asked] @ of_cell, tried[:, setting.asked] @ of_cell
    density = _choice_density if setting.levels else _number_density
    top_density, tried_density = density(top_counts) + TINY, density(tried_counts) + TINY
    divergence = (tried_density * (top_density / tried_density - 1) ** 2).sum(axis=1)
    num_tried = tried.sum(axis=1)
    asked_top, asked_tried = top_counts.sum(axis=1), tried_counts.sum(axis=1)
    counted = (asked_top > 0) & (asked_tried >= LEAST_IN_REGIME)
    # (asked share of the top)^2 over (asked share of all), times (top share of all)^2.
    weight = asked_top**2 / (np.maximum(asked_tried, 1) * num_tried)
    return np.where(counted, weight * divergence, 0.0)


def _cells(setting: Setting) -> npt.NDArray[np.int64]:
    """The grid cell of each trial's value, shape (N,); meaningless where it was not asked."""
    values = np.where(setting.asked, setting.values, np.nanmin(setting.values))
    if setting.levels:
        return values.astype(np.int64)
    low, high = values.min(), values.max()
    step = (high - low) / (NUM_STEPS - 1)
    # A midpoint belongs to the cell below it.
    return np.clip(np.ceil((values - low) / step - 0.5), 0, NUM_STEPS - 1).astype(np.int64)


def _choice_density(counts: FloatArray) -> FloatArray:
    """Smoothed shares of the levels; shape (R, G) -> (R, G)."""
    num_levels = counts.shape[1]
    num_trials = counts.sum(axis=1, keepdims=True)
    softening = PRIOR_WEIGHT / ((counts > 0).sum(axis=1, keepdims=True) + 1)
    kernels = (counts + num_trials * softening) / (1 + num_levels * softening)
    return np.asarray((kernels + PRIOR_WEIGHT / num_levels) / (num_trials + PRIOR_WEIGHT))


def _number_density(counts: FloatArray) -> FloatArray:
    """A Parzen estimate on the grid with Scott's bandwidth; shape (R, G) -> (R, G).

    Kernels are normal, of mass 1 within the grid, and cut off at its ends.
    """
    sigmas = _bandwidth(counts)[:, None]
    cells = np.arange(NUM_STEPS)
    inside = ndtr((NUM_STEPS - 0.5 - cells) / sigmas) - ndtr((-0.5 - cells) / sigmas)
    distances = np.arange(1 - NUM_STEPS, NUM_STEPS + 1) - 0.5
    kernel = np.diff(ndtr(distances / sigmas))
    smooth = fftconvolve(counts / inside, kernel, axes=1)[:, NUM_STEPS - 1 : 2 * NUM_STEPS - 1]
    num_trials = counts.sum(axis=1, keepdims=True)
    return np.asarray((smooth + PRIOR_WEIGHT * _FLAT) / (num_trials + PRIOR_WEIGHT))


def _bandwidth(counts: FloatArray) -> FloatArray:
    """Scott's rule on the counted cells, in steps; shape (R, G) -> (R,)."""
    steps = np.arange(NUM_STEPS)
    num_trials = np.maximum(counts.sum(axis=1), 1)
    mean = counts @ steps / num_trials
    squares = (counts * (steps - mean[:, None]) ** 2).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(num_trials - 1, 1))
    up_to = counts.cumsum(axis=1)
    first = (up_to >= np.maximum(num_trials // 4, 1)[:, None]).argmax(axis=1)
    third = (up_to > (num_trials * 3 // 4)[:, None]).argmax(axis=1)
    spread = np.minimum((third - first) / 1.34, deviation)
    return np.maximum(1.059 * spread * num_trials**-0.2, LEAST_SIGMA)
