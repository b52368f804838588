"""Which classes stand apart from the mean, and are rigid classes better recognised than organic?

Half of all classes lie below a mean by construction. A class is named only if its interval, widened
so that all K hold at once, leaves the mean out.
"""

import math
from itertools import combinations
from typing import Any

import numpy as np

from analysis.errors.classes import Kinds
from analysis.statistics import metrics
from analysis.statistics.claims import (
    Assertion,
    Claim,
    Word,
    detectable_above,
    standard_error,
    verdict,
)
from analysis.statistics.intervals import CONFIDENCE, Estimate, bootstrap, estimate
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA
from analysis.statistics.quasi_independence import BoolArray

MARGIN = 0.01  # of F1; a smaller difference is too small to matter
MIN_IMAGES = 10  # of a class; resamples of fewer hardly vary
RIGID_CLAIM = Assertion(
    claim="Rigid classes are recognised better than organic ones",
    rule=(
        f"CONFIRMED if the interval of the F1 difference over images lies above {MARGIN:g} and the "
        f"exact permutation of the classes gives p < {ALPHA:g}; REFUTED if it lies below {MARGIN:g}"
    ),
    control="all ways to call as many of these classes rigid",
    section="class_contrasts",
)
MAX_LABELINGS = 100_000  # beyond so many, that number of random ones stands for them all
FROG = "frog"
FROG_CLAIM = Assertion(
    claim="The frog is recognised better than the mean class",
    rule=(
        f"CONFIRMED if the simultaneous interval of F1 minus macro-F1 lies above {MARGIN:g}; "
        f"REFUTED if it lies below {MARGIN:g}"
    ),
    control="the macro mean, with intervals that hold for all classes at once",
    section="class_contrasts",
)


def class_contrasts_section(
    confusion: IntArray,
    class_names: tuple[str, ...],
    kinds: Kinds,
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """F1 minus macro-F1 of every class with simultaneous intervals; rigid against organic.

    Args:
        confusion: counts of the test, shape (K, K), row = true class.
        class_names: K names.
        kinds: which of them are rigid and which organic.
        num_resamples: stratified bootstrap draws.
        seed: of the bootstrap.

    Returns:
        "classes": rows "name", "kind", "f1", "difference" (estimate), "separated"; "macro_f1",
        "critical_t" (the max-t quantile), "rigid_organic" (None where the run names none),
        "untested" (the reason, or None), "num_images" and "claims".
    """
    reason = _untestable(confusion)
    shared = {
        "macro_f1": float(metrics.macro_f1(confusion)),
        "num_images": int(confusion.sum()),
        "num_classes": len(confusion),
        "untested": reason,
    }
    if reason:
        claims = untested_claims(kinds.untested or reason, reason if FROG in class_names else None)
        return shared | {"classes": [], "critical_t": None, "rigid_organic": None, "claims": claims}
    samples = bootstrap(
        confusion,
        {"f1": metrics.f1},
        num_resamples=num_resamples,
        rng=np.random.default_rng(seed),
    )["f1"]
    f1 = metrics.f1(confusion)
    differences, critical_t = simultaneous_intervals(
        f1 - f1.mean(), samples - samples.mean(axis=1, keepdims=True)
    )
    rows = [
        {
            "name": name,
            "kind": kinds.of(name),
            "f1": float(f1[k]),
            "difference": difference.to_dict(),
            "separated": difference.lower > 0 or difference.upper < 0,
        }
        for k, (name, difference) in enumerate(zip(class_names, differences, strict=True))
    ]
    found = shared | {"classes": rows, "critical_t": critical_t}
    contrast, claims = None, untested_claims(kinds.untested, None)
    if not kinds.untested:
        of_a_kind = np.flatnonzero([kinds.of(name) is not None for name in class_names])
        contrast = rigid_organic(
            f1[of_a_kind],
            samples[:, of_a_kind],
            np.array([kinds.of(class_names[k]) == "rigid" for k in of_a_kind]),
            tuple(class_names[k] for k in of_a_kind),
            np.random.default_rng([seed, 1]),
        )
        claims = [rigid_claim(contrast, int(confusion.sum())).to_dict()]
    if FROG in class_names:
        frog = differences[class_names.index(FROG)]
        claims.append(frog_claim(frog, critical_t, int(confusion.sum())).to_dict())
    return found | {"rigid_organic": contrast, "claims": claims}


def simultaneous_intervals(values: FloatArray, samples: FloatArray) -> tuple[list[Estimate], float]:
    """Intervals that all hold at once in 95 % of draws: bootstrap max-t (Westfall and Young 1993).

    Args:
        values: shape (K,).
        samples: their bootstrap values, shape (R, K).

    Returns:
        K estimates value -+ t s_k, and t: the quantile of the largest |t| over the classes.
    """
    errors = samples.std(axis=0, ddof=1)
    varies = errors > 0
    scaled = np.abs(samples - samples.mean(axis=0))[:, varies] / errors[varies]
    critical_t = float(np.quantile(scaled.max(axis=1, initial=0.0), CONFIDENCE))
    intervals = [
        Estimate(value=float(v), lower=float(v - w), upper=float(v + w))
        for v, w in zip(values, critical_t * errors, strict=True)
    ]
    return intervals, critical_t


def rigid_organic(
    f1: FloatArray,
    samples: FloatArray,
    is_rigid: BoolArray,
    class_names: tuple[str, ...],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """The difference of mean F1 by two inferences: over images and over classes.

    What it would be without one class leaves out a class that is the only one of its kind.
    """

    def contrast(values: FloatArray, rigid: BoolArray) -> FloatArray:
        return np.asarray(values[..., rigid].mean(axis=-1) - values[..., ~rigid].mean(axis=-1))

    difference = estimate(float(contrast(f1, is_rigid)), contrast(samples, is_rigid))
    keep = ~np.eye(len(f1), dtype=bool)
    without = [
        (float(contrast(f1[kept], is_rigid[kept])), name)
        for name, kept in zip(class_names, keep, strict=True)
        if 0 < is_rigid[kept].sum() < len(f1) - 1
    ]
    p, num_labelings = permutation_p(f1, is_rigid, rng)
    return {
        "difference": difference.to_dict(),
        "error": float(contrast(samples, is_rigid).std(ddof=1)),
        "p": p,
        "num_labelings": num_labelings,
        "leave_one_out": {
            **dict(zip(("lowest", "lowest_without"), min(without), strict=True)),
            **dict(zip(("highest", "highest_without"), max(without), strict=True)),
        }
        if without
        else None,
    }


def permutation_p(
    values: FloatArray, chosen: BoolArray, rng: np.random.Generator
) -> tuple[float, int]:
    """One-sided p: the share of all choices of as many values with as large a mean.

    Exact up to `MAX_LABELINGS` choices; of more, that many are drawn, and the observed one counts
    among them (Phipson and Smyth 2010).

    Returns:
        The p-value and the number of choices.
    """
    size, rounding = int(chosen.sum()), 1e-12
    threshold = values[chosen].sum() - rounding
    if math.comb(len(values), size) <= MAX_LABELINGS:
        choices = np.array(list(combinations(range(len(values)), size)))
        return float((values[choices].sum(axis=1) >= threshold).mean()), len(choices)
    sums = np.array([rng.permutation(values)[:size].sum() for _ in range(MAX_LABELINGS)])
    return float((1 + (sums >= threshold).sum()) / (1 + MAX_LABELINGS)), MAX_LABELINGS


def rigid_claim(contrast: dict[str, Any], num_images: int) -> Claim:
    """That rigid classes are recognised better."""
    difference = Estimate(**contrast["difference"])
    over_images = verdict(difference, MARGIN)
    holds_for_classes = contrast["p"] < ALPHA
    word: Word = over_images
    verdict_text = over_images.lower()
    if over_images == "CONFIRMED" and not holds_for_classes:
        word, verdict_text = "INCONCLUSIVE", "inconclusive; it holds for these classes only"
    left_out = contrast["leave_one_out"]
    without_one = (
        f"; without one class it is {100 * left_out['lowest']:+.1f} "
        f"(no {left_out['lowest_without']}) to {100 * left_out['highest']:+.1f} "
        f"(no {left_out['highest_without']})"
        if left_out
        else ""
    )
    return RIGID_CLAIM.tested(
        word,
        difference,
        num_images=num_images,
        detectable=detectable_above(MARGIN, contrast["error"]),
        sentence=(
            f"Symptom: the mean F1 of rigid classes lies {100 * difference.value:+.1f} points from "
            f"that of organic ones ({100 * difference.lower:+.1f} to {100 * difference.upper:+.1f} "
            f"over images). Test: {contrast['num_labelings']} labelings of the classes give "
            f"p = {contrast['p']:.3f}{without_one}. Verdict: {verdict_text}."
        ),
    )


def frog_claim(difference: Estimate, critical_t: float, num_images: int) -> Claim:
    """That the frog stands above the mean; a symptom, which names no cause."""
    word = verdict(difference, MARGIN)
    error = standard_error(difference, critical_t) if critical_t else 0.0
    return FROG_CLAIM.tested(
        word,
        difference,
        num_images=num_images,
        detectable=detectable_above(MARGIN, error, critical_t),
        sentence=(
            f"Symptom: the frog's F1 lies {100 * difference.value:+.1f} points from the macro mean "
            f"({100 * difference.lower:+.1f} to {100 * difference.upper:+.1f}, all classes at "
            f"once). Test: max-t bootstrap. Verdict: {word.lower()}; it says nothing of the cause."
        ),
    )


def untested_claims(rigid: str | None, frog: str | None) -> list[dict[str, Any]]:
    """The claims for which there is a reason not to test them."""
    return [
        claim.not_tested(reason).to_dict()
        for claim, reason in ((RIGID_CLAIM, rigid), (FROG_CLAIM, frog))
        if reason
    ]


def _untestable(confusion: IntArray) -> str | None:
    """Why no class can be compared with the mean; None where they can."""
    fewest = int(confusion.sum(axis=1).min())
    if fewest < MIN_IMAGES:
        return f"a class has {fewest} test images; {MIN_IMAGES} of each are needed"
    if np.trace(confusion) == confusion.sum():
        return "every image was recognised, so no class differs from another"
    return None
