"""Which classes does a texture alone draw pictures to?

A texture laid over pictures of other classes must draw them to a class more than noise of the
same strength, and more than the picture as it is: noise alone is a strong attractor of some
classes, so a single arm says nothing.
"""

from typing import Any

from analysis.differences import Effect, holm, passes, share_difference
from analysis.injected_textures import TEXTURES
from analysis.variant_table import ORIGINAL, Variants

FLOOR = 0.10


def injection_rows(variants: Variants) -> list[dict[str, Any]]:
    """A row a class: each texture's attraction, those that pass, and the strongest."""
    names = variants.class_names
    cells = [(k, texture) for k in range(len(names)) for texture in TEXTURES]
    effects = {cell: texture_attraction(variants, *cell) for cell in cells}
    corrected = dict(
        zip(cells, holm([against.p_value for against, _ in effects.values()]), strict=True)
    )
    rows = []
    for k, name in enumerate(names):
        passing = {
            texture: effects[k, texture][0]
            for texture in TEXTURES
            if passes(effects[k, texture][0], corrected[k, texture], FLOOR)
            and effects[k, texture][1].estimate.lower >= FLOOR
        }
        rows.append(
            {
                "name": name,
                "textures": {
                    texture: {
                        "against_noise": effects[k, texture][0].to_dict(),
                        "against_original": effects[k, texture][1].to_dict(),
                        "p_holm": float(corrected[k, texture]),
                    }
                    for texture in TEXTURES
                },
                "detectable": effects[k, "stripes"][0].detectable(FLOOR, len(cells)),
                "texture": max(passing, key=lambda t: passing[t].value) if passing else None,
            }
        )
    return rows


def texture_attraction(variants: Variants, label: int, texture: str) -> tuple[Effect, Effect]:
    """Against matched noise, and against the untouched pictures; over all other classes."""
    drawn = variants.taken_for(f"texture_{texture}", label)
    noise = variants.taken_for(f"noise_like_{texture}", label)
    untouched = variants.taken_for(ORIGINAL, label)
    return (
        share_difference(variants.not_of_class(drawn - noise, label)),
        share_difference(variants.not_of_class(drawn - untouched, label)),
    )
