"""The sections on shortcuts, and what they claim where nothing could be asked."""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.perturbations.donors import Images
from analysis.perturbations.variants import Variants
from analysis.shortcuts import background, chassis, colour, texture
from analysis.shortcuts.background import background_section
from analysis.shortcuts.chassis import chassis_section
from analysis.shortcuts.colour import colour_section
from analysis.shortcuts.sky import sky_section
from analysis.shortcuts.texture import PAIR, texture_section
from analysis.statistics.metrics import IntArray

CLAIMS = (
    background.ANY_CLASS_CLAIM,
    colour.GREEN_FROG_CLAIM,
    texture.CLAIM,
    chassis.CLAIM,
)


def shortcut_sections(
    variants: Variants,
    images: Images,
    labels: IntArray,
    logits: npt.NDArray[np.float32],
    *,
    pairs: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """What changed pictures show, by section.

    Args:
        variants: answers to changed pictures.
        images: of the sealed test, uint8 (N, S, S, 3).
        labels: of these, (N,).
        logits: of these, (N, K).
        pairs: `pairs_section` of the same test.
    """
    flagged = [(row["first"], row["second"]) for row in pairs["pairs"] if row["flagged"]]
    return {
        "background": background_section(variants),
        "sky": sky_section(variants, images, labels, logits),
        "texture": texture_section(variants, pairs=list(dict.fromkeys((PAIR, *flagged)))),
        "colour": colour_section(variants, images),
        "chassis": chassis_section(variants),
    }
