"""Which pictures a report shows: chosen by rule and seed, never by eye. Numpy only."""

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from analysis.metrics import FloatArray, IntArray

NUM_RANDOM, NUM_CONFIDENT = 4, 4  # of a strip of errors


def random_pictures(num_images: int, count: int, rng: np.random.Generator) -> IntArray:
    """Up to `count` of all pictures, drawn before anyone looks at a prediction; in order."""
    return np.sort(rng.choice(num_images, min(count, num_images), replace=False))


def as_many_of_each_class(labels: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """About `count` pictures, the same number of each class as far as there are so many."""
    classes = np.unique(labels)
    share = max(count // max(len(classes), 1), 1)
    drawn = [random_members(np.flatnonzero(labels == k), share, rng) for k in classes]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def random_members(indices: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    return rng.choice(indices, min(count, len(indices)), replace=False)


def strip_of_errors(
    errors: IntArray, confidence: npt.NDArray[np.floating], rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Some errors at random, and of the others those that the model is surest of, surest first.

    Args:
        errors: positions of the pictures of one true class taken for another.
        confidence: probability of every picture's prediction, (N,).
        rng: the only source of randomness.
    """
    drawn = np.sort(random_members(errors, NUM_RANDOM, rng))
    others = np.setdiff1d(errors, drawn)
    surest = others[np.argsort(-confidence[others], kind="stable")[:NUM_CONFIDENT]]
    return drawn, surest


def probabilities(logits: npt.NDArray[np.floating]) -> FloatArray:
    """Of each class, (N, K)."""
    return np.asarray(softmax(logits.astype(np.float64), axis=1))
