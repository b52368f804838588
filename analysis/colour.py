"""Which classes are recognised by their colour?

The loss under rotations of the whole picture's hue, minus the other classes' mean loss: what a
strange colour costs anyone cancels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.claims import Word
from analysis.differences import (
    Effect,
    against_the_mean,
    holm,
    passes,
    share_difference,
    word,
)
from analysis.hues import ROTATIONS_DEGREES, TINT_DEGREES
from analysis.variant_table import ORIGINAL, Variants

FLOOR = 0.10
RULE = (
    f"CONFIRMED if Holm p < .05 and the interval lies at {FLOOR:.2f} or above; "
    f"REFUTED if it lies below {FLOOR:.2f}"
)
CONTROL = "the mean loss of the other classes under the same rotations"
SECTION = "colour"


def colour_section(variants: Variants) -> dict[str, Any]:
    """Hue loss of every class against the others', and what each tint draws; claims.

    Keys: `classes` (rows: `hue_drop`, `hue_excess` (the difference in differences), `p_holm`,
    `detectable`, `verdict`, `by_rotation`, `tints` (tint -> attraction against the other tints),
    `tint` (the one that draws most, or None), `flagged`, `claims`.
    """
    if not {f"hue_{degrees}" for degrees in ROTATIONS_DEGREES} <= variants.names:
        reason = "the table has no hue rotations"
        return {"tested": False, "reason": reason, "claims": []}
    names = variants.class_names
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
                "tint": _drawing_tint(tints),
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
        "claims": [],
    }


def tint_attraction(variants: Variants, label: int, colour: str) -> Effect:
    """How much more often other classes are taken for a class in this tint than in the others."""
    tinted = variants.taken_for(f"tint_{colour}", label)
    others = [
        variants.taken_for(f"tint_{other}", label) for other in TINT_DEGREES if other != colour
    ]
    return share_difference(variants.not_of_class(tinted - sum(others) / len(others), label))


def _drawing_tint(tints: Mapping[str, Effect]) -> str | None:
    """The tint that draws most, if its interval lies above 0."""
    drawing = {name: e for name, e in tints.items() if e.estimate.lower > 0}
    return max(drawing, key=lambda name: drawing[name].value) if drawing else None


def _class_word(variants: Variants, label: int, excess: Effect, p_holm: float) -> Word:
    recognised = variants.of_class(variants.right(ORIGINAL), label)
    if not excess.standard_error > 0 or recognised.mean() < FLOOR:
        return "NOT TESTED"
    return word(excess, confirmed=passes(excess, p_holm, FLOOR), floor=FLOOR)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
