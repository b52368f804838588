"""Blue water = blue sky? Do blue surroundings make the checkpoint say "airplane"?

Observed: among pictures as they are, odds of being taken for the other class with much against
little blue in the frame, within classes and thirds of brightness (Mantel and Haenszel 1959).
Intervened: the same picture with a blue and a not blue frame, both lent by its own class. If blue
means "airplane", it draws ships and birds to airplane, and airplanes away from bird: each
direction is told apart, as the story of two-way confusion predicts both up.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from statsmodels.stats.contingency_tables import StratifiedTable

from analysis.perturbations.changes import blue_share, frame_brightness
from analysis.perturbations.donors import Images
from analysis.perturbations.variants import Variants
from analysis.statistics.claims import Assertion, Claim
from analysis.statistics.differences import Effect, mean_difference, undefined
from analysis.statistics.intervals import Estimate, proportion
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA, holm

DIRECTIONS = (("ship", "airplane"), ("bird", "airplane"), ("airplane", "bird"))
CONTROL_CLASS = "frog"
THIRDS = 3
RULE = (
    "CONFIRMED if the pooled odds ratio lies above 1, the change of the logit lies above 0 and "
    f"exceeds that of {CONTROL_CLASS} (Holm over the directions); REFUTED if the change lies below "
    "0 or the odds ratio below 1"
)
CONTROL = f"the logit of {CONTROL_CLASS}; the same frames turned from blue to red"


def sky_section(
    variants: Variants,
    images: Images,
    labels: IntArray,
    logits: npt.NDArray[np.float32],
) -> dict[str, Any]:
    """Each direction of the blue story, observed and intervened; claims.

    Args:
        variants: the battery's table.
        images: the whole test, uint8 (N, S, S, 3).
        labels: of the test, (N,).
        logits: of the untouched test, (N, K).

    Keys: `directions` (rows: `true`, `taken_for`, `thirds` (rates by third of blue), `odds_ratio`,
    `p_odds`, `delta`, `delta_control`, `delta_excess`, `delta_turned`, `p_holm`), `claims`.
    """
    names = variants.class_names
    wanted = [pair for pair in DIRECTIONS if set(pair) <= set(names)]
    if not wanted or CONTROL_CLASS not in names:
        reason = f"the data have no classes airplane, bird, ship and {CONTROL_CLASS}"
        untested = [claim.to_dict() for claim in untested_claims(reason)]
        return {"tested": False, "reason": reason, "claims": untested}
    blue, brightness = blue_share(images), frame_brightness(images)
    predictions = logits.argmax(axis=1)
    changes = [_intervened(variants, *(names.index(name) for name in pair)) for pair in wanted]
    corrected = holm([change["delta"].p_value for change in changes])
    rows, claims = [], []
    for (true, taken), change, p_holm in zip(wanted, changes, corrected, strict=True):
        chosen = labels == names.index(true)
        is_taken = predictions[chosen] == names.index(taken)
        ratio, p_odds = odds_ratio(blue[chosen], brightness[chosen], is_taken)
        rows.append(
            {
                "true": true,
                "taken_for": taken,
                "num_images": int(chosen.sum()),
                "thirds": _rates(blue[chosen], is_taken),
                "odds_ratio": ratio.to_dict(),
                "p_odds": p_odds,
                **{name: effect.to_dict() for name, effect in change.items()},
                "p_holm": float(p_holm),
                "detectable": change["delta"].detectable(0.0, len(wanted)),
            }
        )
        claims.append(_claim(true, taken, ratio, change, float(p_holm), len(wanted)))
    return {
        "tested": True,
        "family": len(wanted),
        "directions": rows,
        "claims": [claim.to_dict() for claim in claims],
    }


def odds_ratio(
    blue: FloatArray, brightness: FloatArray, is_taken: npt.NDArray[np.bool_]
) -> tuple[Estimate, float]:
    """Of being taken for the other class, bluest against least blue third of the pictures.

    Pooled over thirds of brightness, so that a bright sky is not mistaken for a blue one. All
    arrays are of one class, shape (n,).

    Returns:
        The Mantel-Haenszel odds ratio with its interval, and the p-value of no association; NaN
        where no stratum has both outcomes and both amounts of blue.
    """
    thirds, strata = thirds_of(blue), thirds_of(brightness)
    tables = []
    for stratum in range(THIRDS):
        cells = [
            [
                np.sum((strata == stratum) & (thirds == third) & (is_taken == taken))
                for taken in (1, 0)
            ]
            for third in (THIRDS - 1, 0)
        ]
        table = np.array(cells, dtype=float)
        if table.sum(axis=0).all() and table.sum(axis=1).all():
            tables.append(table)
    undefined_ratio = Estimate(value=math.nan, lower=math.nan, upper=math.nan)
    if not tables:
        return undefined_ratio, math.nan
    stratified = StratifiedTable(tables)
    if not 0 < stratified.oddsratio_pooled < math.inf:
        return undefined_ratio, math.nan
    lower, upper = stratified.oddsratio_pooled_confint()
    p_value = float(stratified.test_null_odds().pvalue)
    return (
        Estimate(value=float(stratified.oddsratio_pooled), lower=float(lower), upper=float(upper)),
        p_value,
    )


def thirds_of(values: FloatArray) -> IntArray:
    """0, 1 or 2: the third of the ranks in which each value lies; shape (n,)."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return ranks * THIRDS // max(len(values), 1)


def _intervened(variants: Variants, true: int, taken: int) -> dict[str, Effect]:
    """The change of a logit from not blue to blue frames; logits are centred on their mean."""
    control = variants.class_names.index(CONTROL_CLASS)
    frames = {
        frame: _centred_logits(variants, f"frame_{frame}", true)
        for frame in ("blue", "not_blue", "turned")
    }
    if any(len(logits) == 0 for logits in frames.values()):
        return dict.fromkeys(
            ("delta", "delta_control", "delta_excess", "delta_turned"), undefined(0)
        )
    change = frames["blue"] - frames["not_blue"]
    return {
        "delta": mean_difference(change[:, taken]),
        "delta_control": mean_difference(change[:, control]),
        "delta_excess": mean_difference(change[:, taken] - change[:, control]),
        "delta_turned": mean_difference((frames["blue"] - frames["turned"])[:, taken]),
    }


def _centred_logits(variants: Variants, variant: str, true: int) -> FloatArray:
    """Of the pictures of a class, averaged over draws; (n, K), pictures in a fixed order."""
    logits = variants.logits(variant).astype(np.float64)
    logits -= logits.mean(axis=1, keepdims=True)
    columns = [
        variants.of_class(variants.by_picture(variant, logits[:, k]), true)
        for k in range(logits.shape[1])
    ]
    return np.stack(columns, axis=1)


def _rates(blue: FloatArray, is_taken: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    thirds = thirds_of(blue)
    groups: Iterator[npt.NDArray[np.bool_]] = (is_taken[thirds == t] for t in range(THIRDS))
    return [proportion(int(group.sum()), len(group)).to_dict() for group in groups]


def _assertion(true: str, taken: str) -> Assertion:
    return Assertion(
        claim=f"Blue surroundings make {true} be taken for {taken}",
        rule=RULE,
        control=CONTROL,
        section="sky",
    )


def untested_claims(reason: str) -> list[Claim]:
    """The claim of every direction, where none can be tested."""
    return [_assertion(*direction).not_tested(reason) for direction in DIRECTIONS]


def _claim(
    true: str, taken: str, ratio: Estimate, change: dict[str, Effect], p_holm: float, family: int
) -> Claim:
    assertion, delta, excess = _assertion(true, taken), change["delta"], change["delta_excess"]
    if math.isnan(delta.value):
        return assertion.not_tested(f"fewer than ten pictures of {true} got both frames")
    acts = p_holm < ALPHA and delta.estimate.lower > 0 and excess.estimate.lower > 0
    refuted = delta.estimate.upper < 0 or ratio.upper < 1
    confirmed = acts and ratio.lower > 1
    return assertion.tested(
        "CONFIRMED" if confirmed else "REFUTED" if refuted else "INCONCLUSIVE",
        delta.estimate,
        unit="logit",
        num_images=delta.num_images,
        detectable=delta.detectable(0.0, family),
        sentence=(
            f"Observed: odds ratio {ratio.value:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}) of "
            f"being taken for {taken} in the bluest third. Test: a blue instead of a not blue "
            f"frame of another {true} changed the logit of {taken} by {delta.value:+.2f} and that "
            f"of {CONTROL_CLASS} by {change['delta_control'].value:+.2f}."
        ),
    )
