"""Which pictures a report shows: chosen by rule and seed, never by eye. Numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from analysis.statistics.metrics import FloatArray, IntArray

NUM_RANDOM, NUM_CONFIDENT = 4, 4  # of a strip of errors


def random_pictures(num_images: int, count: int, *, seed: int) -> IntArray:
    """Up to `count` of all pictures, drawn before anyone looks at a prediction; in order."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(num_images, min(count, num_images), replace=False))


def as_many_of_each_class(labels: IntArray, count: int, *, seed: int) -> IntArray:
    """About `count` pictures, the same number of each class as far as there are so many.

    Of more than `count` classes, one picture each of `count` classes drawn at random.
    """
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    if len(classes) > count:
        classes = np.sort(rng.choice(classes, count, replace=False))
    share = max(count // max(len(classes), 1), 1)
    drawn = [random_members(np.flatnonzero(labels == k), share, rng) for k in classes]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


def random_members(indices: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    return rng.choice(indices, min(count, len(indices)), replace=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class PairErrors:
    """Pictures of class `true` taken for `predicted`: drawn at random, and the surest others."""

    true: int
    predicted: int
    count: int
    drawn: IntArray
    surest: IntArray


def pair_errors(
    labels: IntArray, shares: FloatArray, true: int, predicted: int, *, seed: int
) -> PairErrors:
    """Some errors at random, and of the others those that the model is surest of, surest first.

    A pair's draw depends on the seed and the pair alone, so all pages show the same pictures.

    Args:
        labels: true classes, (N,).
        shares: probability of each class, (N, K).
        true: the class that they are of.
        predicted: the other class that they are taken for.
        seed: of the draw.
    """
    rng = np.random.default_rng([seed, true, predicted])
    errors = np.flatnonzero((labels == true) & (shares.argmax(axis=1) == predicted))
    drawn = np.sort(random_members(errors, NUM_RANDOM, rng))
    others = np.setdiff1d(errors, drawn)
    surest = others[np.argsort(-shares[others, predicted], kind="stable")[:NUM_CONFIDENT]]
    return PairErrors(true=true, predicted=predicted, count=len(errors), drawn=drawn, surest=surest)


def probabilities(logits: npt.NDArray[np.floating]) -> FloatArray:
    """Of each class, (N, K)."""
    return np.asarray(softmax(logits.astype(np.float64), axis=1))
