"""How good is a detector? Recall, precision and false alarms against a measured truth.

A cell is one class of one model. It is truly biased where the model's accuracy hangs on the plant
by `RELIANT` or more, and truly free where by less than `FREE`; what lies between counts for
neither.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from analysis.statistics.intervals import Estimate, proportion
from analysis.validate.detectors import Goals, detector_of_claim

ASSET = "detectors.json"  # in analysis/assets
RELIANT, FREE = 0.20, 0.05


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One class of one model, as one detector sees it.

    Attributes:
        detector: its name.
        model: number of the model.
        clean: nothing at all was planted in the model's pictures.
        name: the class.
        planted: the class carries a plant of the detector's own kind.
        strength: of the plant in training; 0 where there is none.
        reliance: measured on twins, of whatever was planted in the class.
        flagged: by the detector.
        named: the culprit that it named, or None.
        culprit: the right one, or None.
    """

    detector: str
    model: int
    clean: bool
    name: str
    planted: bool
    strength: float
    reliance: float
    flagged: bool
    named: str | None
    culprit: str | None


def score(cells: Sequence[Cell], goals: Goals = Goals()) -> dict[str, Any]:  # noqa: B008
    """A detector's counts and shares with Wilson intervals, and whether it meets its goals."""
    biased = [cell for cell in cells if cell.planted and cell.reliance >= RELIANT]
    free = [cell for cell in cells if cell.reliance < FREE]
    clean = [cell for cell in cells if cell.clean]
    hits = [cell for cell in biased if cell.flagged]
    named = sum(cell.named == cell.culprit for cell in hits)
    false = sum(cell.flagged for cell in free)
    alarms = sum(cell.flagged for cell in clean)
    recall, false_alarms = proportion(len(hits), len(biased)), proportion(alarms, len(clean))
    culprit = proportion(named, len(hits))
    misses = _misses(recall, false_alarms, culprit, goals)
    return {
        "num_biased": len(biased),
        "num_found": len(hits),
        "num_free": len(free),
        "num_false": false,
        "num_clean": len(clean),
        "num_clean_flagged": alarms,
        "num_named": named,
        "recall": recall.to_dict(),
        "precision": proportion(len(hits), len(hits) + false).to_dict(),
        "false_alarms": false_alarms.to_dict(),
        "culprit": culprit.to_dict(),
        "by_strength": _by_strength(biased),
        "misses": misses,
        "meets_goals": not misses,
    }


def downgrade(
    claims: Sequence[dict[str, Any]], scores: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Claims that a detector CONFIRMED, made INCONCLUSIVE where it misses its goals.

    Args:
        claims: rows of the claims table (`Claim.to_dict`) that rest on the detector.
        scores: the detector's, from `score`; None where it was never validated.
    """
    if scores is None:
        reason = "its detector was not validated"
    elif scores["misses"]:
        reason = f"its detector misses its goal: {'; '.join(scores['misses'])}"
    else:
        return list(claims)
    return [
        claim
        | {
            "verdict": "INCONCLUSIVE",
            "sentence": f"{claim['sentence']} Not confirmed all the same, as {reason}.",
        }
        if claim["verdict"] == "CONFIRMED"
        else claim
        for claim in claims
    ]


def downgraded(section: dict[str, Any], scores: dict[str, Any] | None) -> dict[str, Any]:
    """A section whose claims are as strong as the detectors that they rest on.

    Args:
        section: with "claims"; one that repeats no detector's flags counts as not validated.
        scores: as `load_scores` reads them; None where no detector was validated.
    """
    claims = []
    for claim in section["claims"]:
        detector = detector_of_claim(claim["claim"])
        claims += downgrade([claim], scores["detectors"][detector] if scores and detector else None)
    return section | {"claims": claims}


def _misses(recall: Estimate, false_alarms: Estimate, culprit: Estimate, goals: Goals) -> list[str]:
    """The goals that are not met, in words; what was never seen is not met either."""
    misses = []
    if not recall.value >= goals.least_recall:
        misses.append(f"recall {recall.value:.2f}, wanted {goals.least_recall:.2f} or more")
    if not false_alarms.value <= goals.most_false_alarms:
        misses.append(
            f"{false_alarms.value:.1%} of clean classes flagged, wanted "
            f"{goals.most_false_alarms:.0%} or fewer"
        )
    if not culprit.value >= goals.least_named:
        misses.append(
            f"culprit named in {culprit.value:.0%}, wanted {goals.least_named:.0%} or more"
        )
    return misses


def _by_strength(biased: Sequence[Cell]) -> list[dict[str, Any]]:
    """Recall by the strength of the plant (the power curve)."""
    rows = []
    for strength in sorted({cell.strength for cell in biased}):
        found = [cell.flagged for cell in biased if cell.strength == strength]
        rows.append(
            {"strength": strength, **proportion(sum(found), len(found)).to_dict(), "n": len(found)}
        )
    return rows


def cells_to_dicts(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    return [asdict(cell) for cell in cells]


def load_scores() -> dict[str, Any] | None:
    """The scores that are part of the release; None where it was made without them."""
    asset = resources.files("analysis").joinpath("assets", ASSET)
    return json.loads(asset.read_text(encoding="utf-8")) if asset.is_file() else None


def detector_section(scores: dict[str, Any] | None) -> dict[str, Any]:
    """What the page shows of the validation; `scores` is what `load_scores` reads.

    Keys: `validated`, and if so `command`, `created`, `num_biased`, `num_clean`,
    `images_per_class`, `reliant`, `free`, `detectors` (name -> counts, shares with intervals,
    `misses`, `by_strength`).
    """
    if scores is None:
        return {"validated": False}
    shown = ("command", "created", "num_biased", "num_clean", "images_per_class", "train_size")
    return {
        "validated": True,
        **{name: scores[name] for name in (*shown, "reliant", "free", "versions", "detectors")},
    }
