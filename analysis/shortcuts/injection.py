"""Which classes does a texture alone draw pictures to?

A texture laid over pictures of other classes must draw them to a class more than noise of the
same strength, and more than the picture as it is: noise alone is a strong attractor of some
classes, so a single arm says nothing.
"""

from dataclasses import dataclass
from typing import Any

from analysis.perturbations.changes import TEXTURES
from analysis.perturbations.variants import ORIGINAL, Variants
from analysis.statistics.differences import Effect, passes, share_difference
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import holm

FLOOR = 0.10
FEWEST_SOURCES = 3  # classes; a single one may just look alike with that texture


def injection_rows(variants: Variants) -> list[dict[str, Any]]:
    """A row a class: what each texture draws to it, from all classes and from each alone.

    A texture passes where it draws the pictures of all other classes together, or those of at
    least `FEWEST_SOURCES` classes each: of two classes that share a texture each draws the
    pictures that look more like it.
    """
    names = variants.class_names
    sources = [None, *range(len(names))]
    cells = [
        (k, texture, source)
        for k in range(len(names))
        for texture in TEXTURES
        for source in sources
        if source != k
    ]
    drawn = {texture: texture_effects(variants, texture) for texture in TEXTURES}
    effects = {(k, texture, c): _attraction(drawn[texture], k, c) for k, texture, c in cells}
    corrected = dict(zip(cells, holm([e[0].p_value for e in effects.values()]), strict=True))
    passing = {
        cell
        for cell in cells
        if passes(effects[cell][0], corrected[cell], FLOOR)
        and effects[cell][1].estimate.lower >= FLOOR
    }
    rows = []
    for k, name in enumerate(names):
        drawn_from = {
            texture: [names[c] for c in range(len(names)) if (k, texture, c) in passing]
            for texture in TEXTURES
        }
        found = [
            texture
            for texture in TEXTURES
            if (k, texture, None) in passing or len(drawn_from[texture]) >= FEWEST_SOURCES
        ]
        strongest = max(found, key=lambda t: effects[k, t, None][0].value, default=None)
        rows.append(
            {
                "name": name,
                "textures": {
                    texture: {
                        "against_noise": effects[k, texture, None][0].to_dict(),
                        "against_original": effects[k, texture, None][1].to_dict(),
                        "p_holm": float(corrected[k, texture, None]),
                        "drawn_from": drawn_from[texture],
                    }
                    for texture in TEXTURES
                },
                "detectable": effects[k, "stripes", None][0].detectable(FLOOR, len(cells)),
                "texture": strongest,
            }
        )
    return rows


@dataclass(frozen=True, kw_only=True)
class TextureEffects:
    """What a texture does to each picture: how much more often it is taken for each class.

    Attributes:
        labels: true classes, shape (n,).
        against_noise: than with matched noise, shape (n, K).
        against_original: than untouched, shape (n, K).
    """

    labels: IntArray
    against_noise: FloatArray
    against_original: FloatArray


def texture_effects(variants: Variants, texture: str) -> TextureEffects:
    drawn = variants.taken(f"texture_{texture}")
    noise = variants.taken(f"noise_like_{texture}").loc[drawn.index]
    untouched = variants.taken(ORIGINAL).loc[drawn.index]
    return TextureEffects(
        labels=variants.labels.loc[drawn.index].to_numpy(),
        against_noise=(drawn - noise).to_numpy(),
        against_original=(drawn - untouched).to_numpy(),
    )


def _attraction(drawn: TextureEffects, label: int, source: int | None) -> tuple[Effect, Effect]:
    """Against matched noise, and against the untouched pictures; of all or one of the classes."""
    chosen = drawn.labels != label if source is None else drawn.labels == source
    return (
        share_difference(drawn.against_noise[chosen, label]),
        share_difference(drawn.against_original[chosen, label]),
    )
