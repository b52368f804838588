"""Which classes are recognised by their colour?

The loss under rotations of the whole picture's hue, minus the other classes' mean loss: what a
strange colour costs anyone cancels.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analysis.perturbations.changes import ROTATIONS_DEGREES, TINT_DEGREES, colour_histograms
from analysis.perturbations.donors import Images
from analysis.perturbations.variants import ORIGINAL, Variants
from analysis.statistics.claims import Assertion, Claim, Word
from analysis.statistics.differences import (
    Effect,
    against_the_mean,
    combine,
    passes,
    share_difference,
    word,
)
from analysis.statistics.intervals import Estimate
from analysis.statistics.paired_tests import holm

FLOOR = 0.10
CONTROL = "the mean loss of the other classes under the same rotations"
FROG, GREEN = "frog", "green"
GREEN_FROG_CLAIM = Assertion(
    claim=f"{FROG} is recognised by its {GREEN} (the frog phenomenon)",
    rule=(
        f"CONFIRMED if the loss beyond the other classes' lies at {FLOOR:.2f} or above and {GREEN} "
        f"draws other classes to {FROG} more than every other tint; REFUTED if the loss lies below "
        f"{FLOOR:.2f}"
    ),
    control=CONTROL,
    section="colour",
)
FOLDS = 5  # of the cross-validation behind the histogram's AUC


def colour_section(variants: Variants, images: Images | None = None) -> dict[str, Any]:
    """Hue loss of every class against the others', and what each tint draws; claims.

    Args:
        variants: the battery's table.
        images: the whole test, uint8 (N, S, S, 3), for what colour alone can tell; None leaves
            that out.

    Keys: `classes` (rows: `hue_drop`, `hue_excess` (the difference in differences), `p_holm`,
    `detectable`, `verdict`, `by_rotation`, `tints` (tint -> attraction against the other tints),
    `tint` (the one in which the class is seen most, or None), `histogram_auc`), `flagged`,
    `claims`.
    """
    if not {f"hue_{degrees}" for degrees in ROTATIONS_DEGREES} <= variants.names:
        reason = "the table has no hue rotations"
        claim = GREEN_FROG_CLAIM.not_tested(reason)
        return {"tested": False, "reason": reason, "claims": [claim.to_dict()]}
    names = variants.class_names
    available = histogram_auc(variants, images) if images is not None else {}
    drops = {
        degrees: variants.right(ORIGINAL) - variants.right(f"hue_{degrees}")
        for degrees in ROTATIONS_DEGREES
    }
    mean_drop = sum(drops.values()) / len(drops)
    effects = [share_difference(variants.of_class(mean_drop, k)) for k in range(len(names))]
    excesses = [
        against_the_mean(effect, [other for j, other in enumerate(effects) if j != k])
        for k, effect in enumerate(effects)
    ]
    corrected = holm([excess.p_value for excess in excesses])
    classes = []
    for k, name in enumerate(names):
        tints = {colour: tint_attraction(variants, k, colour) for colour in TINT_DEGREES}
        classes.append(
            {
                "name": name,
                "hue_drop": effects[k].to_dict(),
                "hue_excess": excesses[k].to_dict(),
                "p_holm": float(corrected[k]),
                "detectable": excesses[k].detectable(FLOOR, len(names)),
                "verdict": _class_word(variants, k, excesses[k], corrected[k]),
                "by_rotation": {
                    str(degrees): _mean(variants.of_class(drop, k))
                    for degrees, drop in drops.items()
                },
                "tints": {colour: effect.to_dict() for colour, effect in tints.items()},
                "tint": favoured_tint(variants, k),
                "histogram_auc": available.get(name),
            }
        )
    return {
        "tested": True,
        "floor": FLOOR,
        "family": len(names),
        "rotations": list(ROTATIONS_DEGREES),
        "num_images": len(mean_drop),
        "classes": classes,
        "flagged": [row["name"] for row in classes if row["verdict"] == "CONFIRMED"],
        "claims": [_frog_claim(variants, classes, len(mean_drop)).to_dict()],
    }


def tint_attraction(variants: Variants, label: int, colour: str) -> Effect:
    """How much more often other classes are taken for a class in this tint than in the others."""
    tinted = variants.taken_for(f"tint_{colour}", label)
    others = [
        variants.taken_for(f"tint_{other}", label) for other in TINT_DEGREES if other != colour
    ]
    return share_difference(variants.not_of_class(tinted - sum(others) / len(others), label))


def favoured_tint(variants: Variants, label: int) -> str | None:
    """The tint in which a class is seen the most, against the others; None where none stands out.

    Its own pictures (which lose their colour in a foreign tint) and those of the other classes
    (which may gain it) weigh the same.
    """
    taken = {colour: variants.taken_for(f"tint_{colour}", label) for colour in TINT_DEGREES}
    favours = {}
    for colour in TINT_DEGREES:
        others = [taken[other] for other in TINT_DEGREES if other != colour]
        change = taken[colour] - sum(others) / len(others)
        own = share_difference(variants.of_class(change, label))
        foreign = share_difference(variants.not_of_class(change, label))
        favour = combine([own, foreign], [0.5, 0.5])
        if favour.estimate.lower > 0:
            favours[colour] = favour.value
    return max(favours, key=lambda colour: favours[colour], default=None)


def _class_word(variants: Variants, label: int, excess: Effect, p_holm: float) -> Word:
    recognised = variants.of_class(variants.right(ORIGINAL), label)
    if not excess.standard_error > 0 or recognised.mean() < FLOOR:
        return "NOT TESTED"
    return word(excess, confirmed=passes(excess, p_holm, FLOOR), floor=FLOOR)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def histogram_auc(variants: Variants, images: Images) -> dict[str, float]:
    """How well a colour histogram alone tells each class from the rest: cross-validated AUC.

    A logistic regression on the sampled pictures. It says what colour offers, not what the
    checkpoint uses. Classes with fewer pictures than folds are left out.
    """
    labels = variants.labels.to_numpy()
    histograms = colour_histograms(images[variants.labels.index.to_numpy()])
    counts = np.bincount(labels, minlength=len(variants.class_names))
    known = (counts >= FOLDS)[labels]
    if len(np.unique(labels[known])) < 2:
        return {}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(
        model, histograms[known], labels[known], cv=folds, method="decision_function"
    )
    if scores.ndim == 1:  # two classes have one score
        scores = np.stack([-scores, scores], axis=1)
    return {
        variants.class_names[label]: float(roc_auc_score(labels[known] == label, scores[:, column]))
        for column, label in enumerate(np.unique(labels[known]))
    }


def tint_margins(variants: Variants, label: int, colour: str) -> dict[str, Effect]:
    """How much more often other classes are taken for a class in this tint than in each other."""
    tinted = variants.taken_for(f"tint_{colour}", label)
    return {
        other: share_difference(
            variants.not_of_class(tinted - variants.taken_for(f"tint_{other}", label), label)
        )
        for other in TINT_DEGREES
        if other != colour
    }


def _frog_claim(variants: Variants, classes: list[dict[str, Any]], num_images: int) -> Claim:
    row = next((row for row in classes if row["name"] == FROG), None)
    if row is None or row["verdict"] == "NOT TESTED":
        reason = (
            f"the data have no class {FROG}"
            if row is None
            else f"too few pictures of {FROG}, or too few that are recognised"
        )
        return GREEN_FROG_CLAIM.not_tested(reason)
    margins = tint_margins(variants, variants.class_names.index(FROG), GREEN)
    draws = all(effect.estimate.lower > 0 for effect in margins.values())
    least = min(effect.value for effect in margins.values())
    excess = Estimate(**{key: row["hue_excess"][key] for key in ("value", "lower", "upper")})
    helps = row["verdict"] == "CONFIRMED"
    verdict: Word = "CONFIRMED" if helps and draws else "INCONCLUSIVE"
    if excess.upper < FLOOR:
        verdict = "REFUTED"
    ending = "; its colour helps, but not its green alone" if helps and not draws else ""
    with_tints = f"{CONTROL}; red, blue and magenta tints of the same distance"
    return replace(GREEN_FROG_CLAIM, control=with_tints).tested(
        verdict,
        excess,
        num_images=num_images,
        detectable=row["detectable"],
        sentence=(
            f"Test: turning all hues cost {FROG} {100 * excess.value:+.1f} points more than the "
            f"other classes; a green tint draws other classes to {FROG} {100 * least:+.1f} points "
            f"more than the next tint does{ending}."
        ),
    )
