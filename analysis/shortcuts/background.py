"""Which classes are recognised by their background, and whose background draws others?

BG-gap (Xiao et al. 2020): accuracy with another picture's background of the same class minus that
with one of another class, both pasted through the same ellipse, so that what pasting costs cancels.
Objects reach out of the ellipse, and a donor's object with them: a gap in the ellipse alone may be
shape. Of models without shortcuts it is 13 points on average in the ellipse, 4 in a frame of 4 px,
and 2 on the rim, outside a circle that nearly touches the picture's edges. So the gap has to be on
the rim as well, by more than that (each of the two at its own level: an intersection-union
test).
"""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.perturbations.variants import ORIGINAL, Variants
from analysis.statistics.claims import Assertion, Claim, Word, in_points
from analysis.statistics.differences import Effect, combine, passes, share_difference, word
from analysis.statistics.intervals import Estimate, proportion
from analysis.statistics.paired_tests import holm

FLOOR = 0.10  # a smaller gap does not matter
RIM_FLOOR = 0.03  # more than shape alone makes of it there
FEWEST_SOURCES = 3  # classes that a background draws, where it does not draw all together enough
PAIRS = (("airplane", "bird"), ("airplane", "ship"))  # the decks' background clusters
RULE = (
    f"CONFIRMED if Holm p < .05 in the ellipse and the intervals lie at {FLOOR:.2f} or above in "
    f"the ellipse and at {RIM_FLOOR:.2f} or above on the rim; REFUTED if that of the ellipse lies "
    f"below {FLOOR:.2f}"
)
PAIR_RULE = (
    f"CONFIRMED if Holm p < .05 and the interval lies at {FLOOR:.2f} or above; "
    f"REFUTED if it lies below {FLOOR:.2f}"
)
CONTROL = "a background of the same class, pasted likewise; a second such donor as placebo"
ANY_CLASS_CLAIM = Assertion(
    claim="A class is recognised by its background",
    rule=RULE,
    control=CONTROL,
    section="background",
)


def background_section(variants: Variants) -> dict[str, Any]:
    """BG-gap and attraction of every class, attraction of every pair, Only-BG; claims.

    Keys: `classes` (rows by class: `gap`, `rim_gap`, `placebo`, `p_holm`, `detectable`,
    `verdict`, `attraction`, `rim_attraction`, `attracts`,
    `drawn_from`, `only_background`), `pairs` (rows `true`, `donor`,
    `attraction`, `p_holm`, `attracts`), `flagged`, `attractors`, `culprits`,
    `claims`.
    """
    if not {"ellipse_same", "ellipse_other"} <= variants.names:
        reason = "fewer than two classes have three pictures or more to lend a background"
        claim = ANY_CLASS_CLAIM.not_tested(reason)
        return {"tested": False, "reason": reason, "claims": [claim.to_dict()]}
    gaps = _class_gaps(variants, "ellipse_same", "ellipse_other")
    rims = _class_gaps(variants, "rim_same", "rim_other")
    placebos = _placebos(variants)
    p_gaps = holm([gap.p_value for gap in gaps])
    pulled, on_rim = pulls(variants, "ellipse"), pulls(variants, "rim")
    attractions = [attraction(pulled, k) for k in range(len(variants.class_names))]
    rim_attractions = [attraction(on_rim, k) for k in range(len(variants.class_names))]
    p_attractions = holm([effect.p_value for effect in attractions])
    pairs = _pairs(pulled, variants.class_names)
    only = variants.right("only_background")
    recalls = variants.right(ORIGINAL)
    classes: list[dict[str, Any]] = []
    for k, name in enumerate(variants.class_names):
        fails = passes(gaps[k], p_gaps[k], FLOOR) and rims[k].estimate.lower >= RIM_FLOOR
        alone = variants.of_class(only, k)
        drawn_from = [row["true"] for row in pairs if row["donor"] == name and row["attracts"]]
        classes.append(
            {
                "name": name,
                "gap": gaps[k].to_dict(),
                "p_holm": float(p_gaps[k]),
                "rim_gap": rims[k].to_dict(),
                "placebo": placebos[k].to_dict(),
                "detectable": gaps[k].detectable(FLOOR, len(gaps)),
                "verdict": _class_word(gaps[k], fails, variants.of_class(recalls, k)),
                "attraction": attractions[k].to_dict(),
                "p_attraction_holm": float(p_attractions[k]),
                "rim_attraction": rim_attractions[k].to_dict(),
                "attracts": passes(attractions[k], p_attractions[k], FLOOR)
                or len(drawn_from) >= FEWEST_SOURCES,
                "drawn_from": drawn_from,
                "only_background": proportion(int(alone.sum()), len(alone)).to_dict(),
            }
        )
    section = {
        "tested": True,
        "floor": FLOOR,
        "rim_floor": RIM_FLOOR,
        "family": len(gaps),
        "num_draws": int(variants.rows("ellipse_other")["draw"].nunique()),
        "num_images": len(only),
        "chance": 1 / len(variants.class_names),
        "only_background": proportion(int(only.sum()), len(only)).to_dict(),
        "classes": classes,
        "pairs": pairs,
        "flagged": [row["name"] for row in classes if row["verdict"] == "CONFIRMED"],
        "attractors": [row["name"] for row in classes if row["attracts"]],
        # Classes that fail and whose background draws other classes on the rim, too.
        "culprits": [
            row["name"]
            for row in classes
            if row["verdict"] == "CONFIRMED" and row["rim_attraction"]["lower"] > 0
        ],
    }
    section["claims"] = [
        _any_class(section).to_dict(),
        *(claim.to_dict() for claim in _pair_claims(pulled, variants.class_names)),
    ]
    return section


def pulls(variants: Variants, region: str) -> pd.DataFrame:
    """How much more often each picture is taken for the class whose background it got.

    The same picture with a background of its own class is what it is compared with. One row a
    picture and donor class: `label`, `donor` and `pull` (in [-1, 1], averaged over draws).
    """
    rows, found = variants.rows(f"{region}_other"), variants.predictions(f"{region}_other")
    swapped = pd.DataFrame(
        {
            "index": rows["index"].to_numpy(),
            "label": rows["label"].to_numpy(),
            "donor": rows["donor_label"].to_numpy(),
            "taken": found == rows["donor_label"].to_numpy(),
        }
    )
    taken = swapped.groupby(["index", "label", "donor"])["taken"].mean().reset_index()
    own = variants.taken(f"{region}_same")
    baseline = own.to_numpy()[own.index.get_indexer(taken["index"]), taken["donor"]]
    return taken.assign(pull=taken["taken"] - baseline)


def attraction(pulled: pd.DataFrame, donor: int, true: int | None = None) -> Effect:
    """The mean pull of a class's backgrounds on all pictures of other classes, or of one."""
    chosen = pulled["donor"] == donor
    if true is not None:
        chosen &= pulled["label"] == true
    return share_difference(pulled["pull"][chosen].to_numpy())


def _class_gaps(variants: Variants, same: str, other: str) -> list[Effect]:
    gaps = variants.right(same) - variants.right(other)
    return [share_difference(variants.of_class(gaps, k)) for k in range(len(variants.class_names))]


def _placebos(variants: Variants) -> list[Effect]:
    """The gap between two donors of the same class: nothing but chance."""
    return _class_gaps(variants, "ellipse_same", "ellipse_placebo")


def _class_word(gap: Effect, fails: bool, recognised: Any) -> Word:
    if not gap.standard_error > 0 or recognised.mean() < FLOOR:
        return "NOT TESTED"
    return word(gap, confirmed=fails, floor=FLOOR)


def _pairs(pulled: pd.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    places = [(c, k) for c in range(len(names)) for k in range(len(names)) if c != k]
    effects = [attraction(pulled, k, true=c) for c, k in places]
    corrected = holm([effect.p_value for effect in effects])
    return [
        {
            "true": names[c],
            "donor": names[k],
            "attraction": effect.to_dict(),
            "p_holm": float(p_holm),
            "attracts": passes(effect, p_holm, FLOOR),
        }
        for (c, k), effect, p_holm in zip(places, effects, corrected, strict=True)
    ]


def _any_class(section: dict[str, Any]) -> Claim:
    """Whether any class fails; its effect is the largest gap."""
    tested = [row for row in section["classes"] if row["verdict"] != "NOT TESTED"]
    if not tested:
        reason = "no class has ten pictures that the checkpoint recognises often enough"
        return ANY_CLASS_CLAIM.not_tested(reason)
    worst = max(tested, key=lambda row: row["gap"]["value"])
    words = {row["verdict"] for row in tested}
    verdict: Word = "INCONCLUSIVE"
    if "CONFIRMED" in words:
        verdict = "CONFIRMED"
    elif words == {"REFUTED"}:
        verdict = "REFUTED"
    found = ", ".join(section["flagged"]) or "no class"
    return replace(ANY_CLASS_CLAIM, rule=f"{RULE}, for all classes").tested(
        verdict,
        Estimate(**{key: worst["gap"][key] for key in ("value", "lower", "upper")}),
        num_images=section["num_images"],
        detectable=max(row["detectable"] for row in tested),
        sentence=(
            f"Test: each picture got the background of its own class and of another. The largest "
            f"loss is that of {worst['name']}, {in_points(worst['gap'])}. Verdict: {found} fails."
        ),
    )


def _pair_claims(pulled: pd.DataFrame, names: tuple[str, ...]) -> list[Claim]:
    """The decks' clusters: does either class's background turn the other into it?"""
    pairs = [pair for pair in PAIRS if set(pair) <= set(names)]
    both = []
    for first, second in pairs:
        a, b = names.index(first), names.index(second)
        both.append((attraction(pulled, b, true=a), attraction(pulled, a, true=b)))
    effects = [combine(directions, [0.5, 0.5]) for directions in both]
    corrected = holm([effect.p_value for effect in effects])
    return [
        _pair_claim(pair, *directions, effect, float(p_holm), len(pairs))
        for pair, directions, effect, p_holm in zip(pairs, both, effects, corrected, strict=True)
    ]


def _pair_claim(
    pair: tuple[str, str], there: Effect, back: Effect, both: Effect, p_holm: float, family: int
) -> Claim:
    first, second = pair
    assertion = Assertion(
        claim=f"{first} and {second} are confused because of their backgrounds",
        rule=PAIR_RULE,
        control=CONTROL,
        section="background",
    )
    if math.isnan(both.value):
        reason = f"fewer than ten pictures of {first} or {second} got the other's background"
        return assertion.not_tested(reason)
    return assertion.tested(
        word(both, confirmed=passes(both, p_holm, FLOOR), floor=FLOOR),
        both.estimate,
        num_images=both.num_images,
        detectable=both.detectable(FLOOR, family),
        sentence=(
            f"Test: {first} on a background of {second} is taken for {second} "
            f"{in_points(there.to_dict())} more often than on one of its own class; the "
            f"other way round {in_points(back.to_dict())}."
        ),
    )
