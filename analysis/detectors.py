"""The three detectors of shortcuts, each as what it flags and which culprit it names."""

from collections.abc import Callable, Mapping

from analysis.perturbations.variants import Variants
from analysis.shortcuts.background import background_section
from analysis.shortcuts.colour import colour_section
from analysis.shortcuts.injection import injection_rows

Flags = dict[str, str | None]  # class that is flagged -> the culprit that is named


def by_background(variants: Variants) -> Flags:
    """Culprit: the class itself, where its background draws other classes, too."""
    section = background_section(variants)
    if not section["tested"]:
        return {}
    culprits = section["culprits"]
    return {name: name if name in culprits else None for name in section["flagged"]}


def by_colour(variants: Variants) -> Flags:
    """Culprit: the tint in which the class is seen the most."""
    section = colour_section(variants)
    if not section["tested"]:
        return {}
    rows = {row["name"]: row for row in section["classes"]}
    return {name: rows[name]["tint"] for name in section["flagged"]}


def by_texture(variants: Variants) -> Flags:
    """Culprit: the texture that draws other classes' pictures to this one the most."""
    return {row["name"]: row["texture"] for row in injection_rows(variants) if row["texture"]}


DETECTORS: Mapping[str, Callable[[Variants], Flags]] = {
    "background": by_background,
    "colour": by_colour,
    "texture": by_texture,
}
# What a detector should name for a plant, where that is not the plant's own look.
TINT_OF_COLOUR = {"purple": "magenta"}


def culprit_of(kind: str, name: str, look: str) -> str:
    """What the detector of a kind should name for a plant of that look in a class."""
    if kind == "background":
        return name
    return TINT_OF_COLOUR.get(look, look) if kind == "colour" else look
