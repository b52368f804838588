"""Do automobile and truck share the chassis? Which half of a picture tells a pair apart?

A half replaced by the partner class's contradicts the other half. What that costs, beyond what the
same half of another picture of the own class costs, is how much the pair is told by that half.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.perturbations.changes import SIDES, Side
from analysis.perturbations.variants import Variants
from analysis.shortcuts.texture import two_alternative
from analysis.statistics.claims import Assertion, Claim
from analysis.statistics.differences import Effect, combine, share_difference, word
from analysis.statistics.paired_tests import ALPHA, holm

FLOOR = 0.03
PAIR = ("automobile", "truck")
CONTROL_PAIRS = (("airplane", "ship"), ("cat", "dog"))
CLAIM = Assertion(
    claim=f"{PAIR[0]} and {PAIR[1]} share the chassis: what is above it tells them apart",
    rule=(
        f"CONFIRMED if the top half tells the pair apart more than the bottom half, interval above "
        f"{FLOOR:.2f}, and neither the control pairs nor left against right show the same; REFUTED "
        f"if it lies below {FLOOR:.2f}"
    ),
    control="half of a picture of the same class; left against right; airplane/ship and cat/dog",
    section="chassis",
)


def vehicle_halves_section(variants: Variants) -> dict[str, Any]:
    """How much each half tells each pair apart; the claim about the chassis.

    Keys: `pairs` (rows: `pair`, `halves` (side -> effect), `top_over_bottom`, `left_over_right`,
    `p_holm`, `is_control`), `claims`.
    """
    names = variants.class_names
    pairs = [
        pair
        for pair in (PAIR, *CONTROL_PAIRS)
        if set(pair) <= set(names)
        and not math.isnan(contrast(variants, pair, "top", "bottom").value)
    ]
    if PAIR not in pairs:
        reason = f"the data have no classes {PAIR[0]} and {PAIR[1]} with ten pictures"
        claim = CLAIM.not_tested(reason)
        return {"tested": False, "reason": reason, "claims": [claim.to_dict()]}
    contrasts = {pair: contrast(variants, pair, "top", "bottom") for pair in pairs}
    corrected = holm([effect.p_value for effect in contrasts.values()])
    rows = [
        {
            "pair": list(pair),
            "is_control": pair != PAIR,
            "halves": {
                side: share_difference(cost(variants, pair, side)).to_dict() for side in SIDES
            },
            "top_over_bottom": contrasts[pair].to_dict(),
            "left_over_right": contrast(variants, pair, "left", "right").to_dict(),
            "p_holm": float(p_holm),
            "detectable": contrasts[pair].detectable(FLOOR, len(pairs)),
        }
        for pair, p_holm in zip(pairs, corrected, strict=True)
    ]
    return {
        "tested": True,
        "floor": FLOOR,
        "family": len(pairs),
        "pairs": rows,
        "claims": [_claim(contrasts, rows).to_dict()],
    }


def cost(variants: Variants, pair: tuple[str, str], side: Side) -> pd.Series:
    """What the partner's half costs beyond the own class's, by picture of the pair."""
    own = two_alternative(variants, f"{side}_of_same", pair)
    return (own - two_alternative(variants, f"{side}_of_partner", pair)).dropna()


def contrast(variants: Variants, pair: tuple[str, str], one: Side, other: Side) -> Effect:
    """How much more one half tells the pair apart than the opposite half; two-alternative choice.

    The differences run from -2 to 2; they are halved for the interval and doubled again.
    """
    differences = (cost(variants, pair, one) - cost(variants, pair, other)).dropna()
    return combine([share_difference(differences.to_numpy() / 2)], [2.0])


def _claim(contrasts: Mapping[tuple[str, str], Effect], rows: Sequence[Mapping[str, Any]]) -> Claim:
    own, effect = rows[0], contrasts[PAIR]
    control_shows = [
        row["pair"]
        for row in rows[1:]
        if row["top_over_bottom"]["lower"] > FLOOR and row["p_holm"] < ALPHA
    ]
    aside = own["left_over_right"]["lower"] > FLOOR or own["left_over_right"]["upper"] < -FLOOR
    confirmed = (
        own["p_holm"] < ALPHA and effect.estimate.lower > FLOOR and not control_shows and not aside
    )
    others = " and ".join("/".join(pair) for pair in control_shows)
    return CLAIM.tested(
        word(effect, confirmed=confirmed, floor=FLOOR),
        effect.estimate,
        num_images=effect.num_images,
        detectable=effect.detectable(FLOOR, len(rows)),
        sentence=(
            "Test: the top or the bottom half came from the other class. The top half decides "
            f"{100 * effect.value:+.1f} points more often than the bottom half"
            + (f"; so it does for {others}." if others else ".")
        ),
    )
