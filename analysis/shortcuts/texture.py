"""Is a confusion one of texture or of shape? And which classes does a texture alone draw to?

Of the two logits of a pair the larger one decides (two-alternative forced choice). Shuffled tiles
keep texture and destroy shape; a blur of the same overall cost does the reverse. What a pair gains
from tiles over blur, minus what control pairs gain, tells which of the two the pair is told by.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.perturbations.changes import TEXTURES, TILES_OF_32_PX
from analysis.perturbations.variants import Variants
from analysis.shortcuts.injection import FLOOR as INJECTION_FLOOR
from analysis.shortcuts.injection import injection_rows
from analysis.statistics.claims import Assertion, Claim
from analysis.statistics.differences import (
    Effect,
    against_the_mean,
    share_difference,
    undefined,
    word,
)

FLOOR = 0.05
PAIR = ("cat", "dog")
CONTROL_PAIRS = (("automobile", "truck"), ("airplane", "ship"), ("deer", "horse"))
CLAIM = Assertion(
    claim=f"{PAIR[0]} and {PAIR[1]} are told apart, and confused, by their texture",
    rule=(
        f"CONFIRMED if the interval lies above {FLOOR:.2f} and noise of the same cost says the "
        f"same; REFUTED if it lies below {FLOOR:.2f}"
    ),
    control=(
        "automobile/truck, airplane/ship and deer/horse; severities matched on overall accuracy"
    ),
    section="texture",
)


def texture_section(
    variants: Variants,
    *,
    pairs: Sequence[tuple[str, str]] = (PAIR,),
    controls: Sequence[tuple[str, str]] = CONTROL_PAIRS,
) -> dict[str, Any]:
    """Texture or shape for each pair, attraction by injected textures for each class; claims.

    Keys: `pairs` (rows: `pair`, `excess` (the difference in differences), `by_tile`, `gain`,
    `against_noise`, `detectable`, `reads` = texture, shape or undecided), `controls`, `classes`
    (rows of `injection_rows`), `tile_gains` (rows by class), `flagged`, `severities`, `claims`.
    """
    names = variants.class_names
    wanted = [pair for pair in pairs if set(pair) <= set(names)]
    known = [pair for pair in controls if set(pair) <= set(names)]
    has_shapes = {f"shuffle_{tile}" for tile in TILES_OF_32_PX} <= variants.names
    rows = [pair_row(variants, pair, known) for pair in wanted if has_shapes]
    has_textures = {f"texture_{name}" for name in TEXTURES} <= variants.names
    classes = injection_rows(variants) if has_textures else []
    gains = tile_gains(variants) if has_shapes else []
    return {
        "floor": FLOOR,
        "injection_floor": INJECTION_FLOOR,
        "num_images": len(variants.labels),
        "severities": variants.record.get("severities", {}),
        "pairs": rows,
        "controls": [
            {"pair": list(pair), "gain": gain(variants, pair).to_dict()}
            for pair in known
            if has_shapes
        ],
        "classes": classes,
        "tile_gains": gains,
        "flagged": [row["name"] for row in classes if row["texture"]],
        "claims": [_claim(variants, known, has_shapes).to_dict()],
    }


def tile_gains(variants: Variants) -> list[dict[str, Any]]:
    """A row a class: how much more it is recognised in tiles than in a blur, beyond the others."""
    differences = [
        variants.right(f"shuffle_{tile}") - variants.right(f"blur_as_shuffle_{tile}")
        for tile in TILES_OF_32_PX
    ]
    gained = sum(differences) / len(differences)
    effects = [
        share_difference(variants.of_class(gained, k)) for k in range(len(variants.class_names))
    ]
    return [
        {
            "name": name,
            "gain_excess": against_the_mean(
                effects[k], [*effects[:k], *effects[k + 1 :]]
            ).to_dict(),
        }
        for k, name in enumerate(variants.class_names)
    ]


def two_alternative(variants: Variants, variant: str, pair: tuple[str, str]) -> pd.Series:
    """Share of a picture's draws in which the right one of the pair has the larger logit.

    Over the pictures of the two classes, by picture.
    """
    first, second = (variants.class_names.index(name) for name in pair)
    labels = variants.rows(variant)["label"].to_numpy()
    logits = variants.logits(variant)
    chosen = np.where(logits[:, first] >= logits[:, second], first, second)
    answers = variants.by_picture(variant, chosen == labels)
    return answers[variants.labels.reindex(answers.index).isin((first, second))]


def gain(
    variants: Variants,
    pair: tuple[str, str],
    tiles: Sequence[int] = TILES_OF_32_PX,
    instead: str = "blur",
) -> Effect:
    """How much more often the pair is told apart in shuffled tiles than in a blur (or noise)."""
    differences = [
        two_alternative(variants, f"shuffle_{tile}", pair)
        - two_alternative(variants, f"{instead}_as_shuffle_{tile}", pair)
        for tile in tiles
    ]
    return share_difference((sum(differences) / len(differences)).dropna().to_numpy())


def excess(
    variants: Variants,
    pair: tuple[str, str],
    controls: Sequence[tuple[str, str]],
    tiles: Sequence[int] = TILES_OF_32_PX,
    instead: str = "blur",
) -> Effect:
    """The pair's gain minus the mean of the controls that share no class with it."""
    apart = [other for other in controls if not set(other) & set(pair)]
    own = gain(variants, pair, tiles, instead)
    if not apart:
        return undefined(own.num_images)
    return against_the_mean(own, [gain(variants, other, tiles, instead) for other in apart])


def pair_row(
    variants: Variants, pair: tuple[str, str], controls: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """All that is known of one pair; its classes need not be CIFAR-10's."""
    both = excess(variants, pair, controls)
    noise = excess(variants, pair, controls, TILES_OF_32_PX[:1], "noise")
    return {
        "pair": list(pair),
        "gain": gain(variants, pair).to_dict(),
        "excess": both.to_dict(),
        "by_tile": {
            str(tile): excess(variants, pair, controls, (tile,)).to_dict()
            for tile in TILES_OF_32_PX
        },
        "against_noise": noise.to_dict(),
        "detectable": both.detectable(FLOOR),
        "reads": _reading(both, noise),
    }


def _reading(both: Effect, noise: Effect) -> str:
    if both.estimate.lower > FLOOR and noise.value > 0:
        return "texture"
    return "shape" if both.estimate.upper < -FLOOR else "undecided"


def _claim(variants: Variants, controls: Sequence[tuple[str, str]], has_shapes: bool) -> Claim:
    if not set(PAIR) <= set(variants.class_names):
        return CLAIM.not_tested(f"the data have no classes {PAIR[0]} and {PAIR[1]}")
    if not has_shapes:
        return CLAIM.not_tested("the table has no shuffled tiles")
    effect = excess(variants, PAIR, controls)
    if math.isnan(effect.value):
        return CLAIM.not_tested("the pair or all control pairs have fewer than ten pictures")
    reads = pair_row(variants, PAIR, controls)["reads"]
    return CLAIM.tested(
        word(effect, confirmed=reads == "texture", floor=FLOOR),
        effect.estimate,
        num_images=effect.num_images,
        detectable=effect.detectable(FLOOR),
        sentence=(
            "Test: choosing between the two in shuffled tiles, which keep texture, and in a blur "
            f"of the same cost, which keeps shape. The pair gains {100 * effect.value:+.1f} points "
            "from tiles beyond what the control pairs gain."
        ),
    )
