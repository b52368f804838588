"""Does an intervention cure the pair of classes that it aims at? One word an arm.

WORKS           the pair's error rate falls (interval below 0, Holm's correction over the arms), by
                more than under the placebo (interval below 0), and macro-F1 loses less than a point
DOES NOT WORK   it falls by less than a point, or by less than a point more than under the placebo,
                or macro-F1 loses more than a point; each with its whole interval
INCONCLUSIVE    neither

The placebo is hard mining aimed at a pair that nobody suspects. All differences are paired by seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from analysis.statistics import metrics
from analysis.statistics.claims import in_points
from analysis.statistics.intervals import CONFIDENCE, Estimate
from analysis.statistics.metrics import FloatArray, IntArray, ratio
from analysis.statistics.paired_tests import (
    LEAST_SEEDS,
    detectable,
    holm,
    paired_estimate,
    paired_p_value,
)

Word = Literal["WORKS", "DOES NOT WORK", "INCONCLUSIVE", "NOT TESTED"]
BASELINE, PLACEBO = "baseline", "placebo"
ALPHA = 1 - CONFIDENCE
FLOOR = 0.01  # of the pair's error rate: a smaller gain does not matter
MARGIN = 0.01  # of macro-F1: a larger loss does
RULE = (
    "WORKS: the pair's error rate falls (p with Holm's correction over the arms at most 5 %), by "
    "more than under the placebo, and macro-F1 loses less than 1 point, each with its whole 95 % "
    "interval. DOES NOT WORK: the rate falls by less than 1 point, or by less than 1 point more "
    "than under the placebo, or macro-F1 loses more than 1 point. INCONCLUSIVE: neither."
)

# Of each arm, the counts that each seed's model ends with; row = true class, shape (K, K).
Confusions = Mapping[str, Mapping[int, IntArray]]


def pair_error_rate(confusion: IntArray, pair: tuple[int, int]) -> FloatArray:
    """How often two classes are taken for each other, shape (...): the mean of both directions.

    Args:
        confusion: counts, shape (..., K, K).
        pair: positions of the two classes.
    """
    sizes = confusion.sum(axis=-1)
    first, second = pair
    there = ratio(confusion[..., first, second], sizes[..., first])
    back = ratio(confusion[..., second, first], sizes[..., second])
    return (there + back) / 2


def differences(
    arm: IntArray, baseline: IntArray, placebo: IntArray, pair: tuple[int, int]
) -> dict[str, FloatArray]:
    """What `arm_verdict` decides by, of every seed: shape (...) from counts (..., K, K)."""
    rate = pair_error_rate(arm, pair)
    return {
        "pair": rate - pair_error_rate(baseline, pair),
        "over_placebo": rate - pair_error_rate(placebo, pair),
        "macro_f1": metrics.macro_f1(arm) - metrics.macro_f1(baseline),
    }


def arm_verdict(pair: Estimate, over_placebo: Estimate, macro_f1: Estimate, p_holm: float) -> Word:
    """The rule above; an undefined interval decides nothing.

    Args:
        pair: change of the pair's error rate against the baseline.
        over_placebo: the same against the placebo.
        macro_f1: change of macro-F1 against the baseline.
        p_holm: of no change of the pair's rate, corrected for the number of arms.
    """
    falls = pair.upper < 0 and p_holm <= ALPHA
    if falls and over_placebo.upper < 0 and macro_f1.lower > -MARGIN:
        return "WORKS"
    if pair.lower > -FLOOR or over_placebo.lower > -FLOOR or macro_f1.upper < -MARGIN:
        return "DOES NOT WORK"
    return "INCONCLUSIVE"


def interventions_section(
    confusions: Confusions, *, pair: tuple[str, str], class_names: Sequence[str]
) -> dict[str, Any]:
    """Every arm against the baseline and against the placebo, the placebo itself included.

    An arm is compared over the seeds that it, the baseline and the placebo came through; with
    fewer than two it is NOT TESTED. Harm to single classes is told (Holm's correction over the
    classes of an arm) and decides nothing: macro-F1 is the guard.

    Args:
        confusions: of each arm and seed; "baseline" and "placebo" among the arms.
        pair: the two classes that the arms aim at.
        class_names: K names.
    """
    first, second = (class_names.index(name) for name in pair)
    arms = [_measure(name, confusions, (first, second), class_names) for name in confusions]
    cures = [arm for arm in arms if arm["pair"] and arm["arm"] not in (BASELINE, PLACEBO)]
    if cures:
        p_values = [arm["pair"]["p_value"] for arm in cures]
        corrected = holm(p_values)
        for arm, p_holm in zip(cures, corrected, strict=True):
            arm["pair"]["p_holm"] = float(p_holm)
    for arm in arms:
        if arm["arm"] not in (BASELINE, PLACEBO):
            arm["verdict"] = _verdict(arm)
            arm["sentence"] = _sentence(arm, pair)
    seeds = sorted({seed for by_seed in confusions.values() for seed in by_seed})
    images = {int(counts.sum()) for by_seed in confusions.values() for counts in by_seed.values()}
    return {
        "pair": list(pair),
        "class_names": list(class_names),
        "seeds": seeds,
        "num_images": max(images, default=0),
        "num_tested": len(cures),
        "rule": RULE,
        "arms": arms,
    }


def _measure(
    name: str, confusions: Confusions, pair: tuple[int, int], class_names: Sequence[str]
) -> dict[str, Any]:
    """An arm's figures and its differences, without a verdict."""
    own, baseline, placebo = (confusions.get(arm, {}) for arm in (name, BASELINE, PLACEBO))
    figures = {
        str(seed): {
            "pair_error_rate": float(pair_error_rate(counts, pair)),
            "macro_f1": float(metrics.macro_f1(counts)),
        }
        for seed, counts in own.items()
    }
    seeds = sorted(own.keys() & baseline.keys() & placebo.keys())
    measured: dict[str, Any] = {"arm": name, "figures": figures, "num_seeds": len(seeds)}
    measured |= {"pair": None, "over_placebo": None, "macro_f1": None, "classes": []}
    if name == BASELINE or len(seeds) < LEAST_SEEDS:
        return measured
    mine, control, sham = (
        np.stack([counts[seed] for seed in seeds]) for counts in (own, baseline, placebo)
    )
    for what, by_seed in differences(mine, control, sham, pair).items():
        if (name, what) != (PLACEBO, "over_placebo"):
            measured[what] = _difference(by_seed)
    measured["classes"] = _classes(metrics.f1(mine) - metrics.f1(control), class_names)
    return measured


def _difference(by_seed: FloatArray) -> dict[str, float]:
    return {
        **paired_estimate(by_seed).to_dict(),
        "p_value": paired_p_value(by_seed),
        "detectable": detectable(by_seed),
    }


def _classes(changes: FloatArray, class_names: Sequence[str]) -> list[dict[str, Any]]:
    """Each class' change of F1; `changes` has shape (S, K)."""
    p_values = [paired_p_value(column) for column in changes.T]
    corrected = holm(p_values)
    return [
        {
            "name": name,
            "f1": paired_estimate(column).to_dict(),
            "p_holm": float(p_holm),
            "is_worse": bool(p_holm <= ALPHA and column.mean() < 0),
        }
        for name, column, p_holm in zip(class_names, changes.T, corrected, strict=True)
    ]


def _estimate(difference: dict[str, float]) -> Estimate:
    return Estimate(**{name: difference[name] for name in ("value", "lower", "upper")})


def _verdict(arm: dict[str, Any]) -> Word:
    if arm["pair"] is None:
        return "NOT TESTED"
    of_pair, over_placebo, macro_f1 = (
        _estimate(arm[name]) for name in ("pair", "over_placebo", "macro_f1")
    )
    return arm_verdict(of_pair, over_placebo, macro_f1, arm["pair"]["p_holm"])


def _sentence(arm: dict[str, Any], pair: tuple[str, str]) -> str:
    """What was done, what it changed, and the verdict with the reason for it."""
    count, word = arm["num_seeds"], arm["verdict"]
    if word == "NOT TESTED":
        return (
            f"Not tested: {count} seed{'' if count == 1 else 's'} came through with this arm, the "
            f"baseline and the placebo; it takes {LEAST_SEEDS}."
        )
    worse = [entry["name"] for entry in arm["classes"] if entry["is_worse"]]
    harm = f" F1 is lower for {', '.join(worse)} (Holm)." if worse else ""
    return (
        f"Confusions of {' and '.join(pair)} changed by {in_points(arm['pair'])}, by "
        f"{in_points(arm['over_placebo'])} against the placebo; macro-F1 by "
        f"{in_points(arm['macro_f1'])}; {count} seeds.{harm} {_reason(arm)}"
    )


def _reason(arm: dict[str, Any]) -> str:
    word, of_pair = arm["verdict"], _estimate(arm["pair"])
    over_placebo, macro_f1 = _estimate(arm["over_placebo"]), _estimate(arm["macro_f1"])
    if word == "WORKS":
        return "It works."
    if word == "DOES NOT WORK":
        reasons = {
            "the pair gains less than a point": of_pair.lower > -FLOOR,
            "the pair gains less than a point more than under the placebo": (
                over_placebo.lower > -FLOOR
            ),
            "macro-F1 loses more than a point": macro_f1.upper < -MARGIN,
        }
        return f"It does not work: {'; '.join(why for why, holds in reasons.items() if holds)}."
    seen = arm["pair"]["detectable"]
    if not np.isfinite(seen):
        return "Inconclusive: the seeds do not scatter, so nothing can be tested."
    unsure = {
        "whether the pair gains": not of_pair.upper < 0 or arm["pair"]["p_holm"] > ALPHA,
        "whether it gains more than under the placebo": not over_placebo.upper < 0,
        "whether macro-F1 loses less than a point": not macro_f1.lower > -MARGIN,
    }
    return (
        f"Inconclusive: it is open {', '.join(what for what, is_open in unsure.items() if is_open)}"
        f". A change of the pair of {100 * seen:.1f} points is the smallest that would be seen in "
        "four of five such experiments."
    )
