"""The detectors of shortcuts that planted biases validate, one row each.

The bench, the battery that it runs, the scores and the report's claims follow from the rows. A
plant is of the kind of the detector that should find it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.perturbations.treatments import Family
from analysis.perturbations.variants import Variants
from analysis.shortcuts.background import ANY_CLASS_CLAIM, background_section
from analysis.shortcuts.colour import GREEN_FROG_CLAIM, colour_section
from analysis.shortcuts.injection import injection_rows
from analysis.statistics.claims import Assertion

Flags = dict[str, str | None]  # class that is flagged -> the culprit that is named, if any
TINT_OF_PAINT = {"purple": "magenta"}  # the battery's tint for a paint that it has no tint of


@dataclass(frozen=True, kw_only=True)
class Goals:
    """What a detector must reach for its claim to be confirmed; shares in [0, 1]."""

    least_recall: float = 0.90
    most_false_alarms: float = 0.05  # of the classes of clean models
    least_named: float = 0.90  # of the hits, with the right culprit


@dataclass(frozen=True, kw_only=True)
class Detector:
    """One detector.

    Attributes:
        changes: the family of changed pictures that it looks at.
        detect: from the battery's table to the classes that it flags.
        culprit: from a planted class and the plant's look to the culprit that it should name.
        claim: the report's claim that repeats its flags; None where none does.
        goals: without which the claim is not confirmed.
    """

    changes: Family
    detect: Callable[[Variants], Flags]
    culprit: Callable[[str, str], str]
    claim: Assertion | None = None
    goals: Goals = Goals()


def by_background(variants: Variants) -> Flags:
    """Culprit: the class itself, where its background draws other classes, too."""
    section = background_section(variants)
    if not section["tested"]:
        return {}
    culprits = section["culprits"]
    return {name: name if name in culprits else None for name in section["flagged"]}


def by_colour(variants: Variants) -> Flags:
    """Culprit: the tint in which the class is recognised the most."""
    section = colour_section(variants)
    if not section["tested"]:
        return {}
    rows = {row["name"]: row for row in section["classes"]}
    return {name: rows[name]["tint"] for name in section["flagged"]}


def by_texture(variants: Variants) -> Flags:
    """Culprit: the texture that draws other classes' pictures to this one the most."""
    return {row["name"]: row["texture"] for row in injection_rows(variants) if row["texture"]}


DETECTORS: Mapping[str, Detector] = {
    "background": Detector(
        changes="background",
        detect=by_background,
        culprit=lambda name, look: name,
        claim=ANY_CLASS_CLAIM,
    ),
    "colour": Detector(
        changes="colour",
        detect=by_colour,
        culprit=lambda name, look: TINT_OF_PAINT.get(look, look),
        claim=GREEN_FROG_CLAIM,
    ),
    "texture": Detector(changes="texture", detect=by_texture, culprit=lambda name, look: look),
}


def detector_of(kind: str) -> Detector:
    """The detector of a kind of plant; ValueError where there is none."""
    if kind not in DETECTORS:
        raise ValueError(f"there is no detector {kind!r}; allowed: {', '.join(DETECTORS)}")
    return DETECTORS[kind]


def detector_of_claim(claim: str) -> str | None:
    """The name of the detector whose flags a claim repeats; None where it repeats none's."""
    named = (name for name, row in DETECTORS.items() if row.claim and row.claim.claim == claim)
    return next(named, None)
