"""What a report cannot say of a checkpoint that is not there or gives no numbers."""

from typing import Any

from analysis.errors import (
    class_contrasts,
    pairs,
)
from analysis.errors import sections as errors
from analysis.errors.classes import Kinds
from analysis.heat_maps import section as attribution_section
from analysis.shortcuts import sections as shortcuts
from analysis.shortcuts import sky

# The sections that rest on a checkpoint's answers, by their anchors.
HEADINGS = {
    "pairs": "Confused pairs",
    "gallery": "Pictures",
    "confusions": "Confusions",
    "class-contrasts": "Classes against the mean",
    "classes": "Classes",
    "interventions": "Interventions",
    "background": "Background",
    "sky": "Blue water, blue sky",
    "colour": "Colour",
    "texture": "Texture and shape",
    "chassis": "Which half tells a pair apart",
    "evidence": "Evidence sheets",
    "root-causes": "Root causes",
    "attribution": "Heat maps",
    "systematic": "Systematic or random",
    "label-issues": "Labels in doubt",
    "calibration": "Calibration",
    "overfitting": "Overfitting",
}
CLAIMS = (*shortcuts.CLAIMS, *errors.CLAIMS, attribution_section.CLAIM)  # of any classes


def untested_section(class_names: tuple[str, ...], kinds: Kinds, reason: str) -> dict[str, Any]:
    """Why nothing was asked, the sections that stay empty, and their claims: NOT TESTED."""
    claims = [
        *pairs.untested_claims(class_names, reason),
        *sky.untested_claims(reason),
        *(claim.not_tested(reason) for claim in CLAIMS),
    ]
    return {
        "reason": reason,
        "sections": [{"id": name, "heading": heading} for name, heading in HEADINGS.items()],
        "claims": [
            *(claim.to_dict() for claim in claims),
            *class_contrasts.untested_claims(
                kinds.untested or reason, reason if class_contrasts.FROG in class_names else None
            ),
        ],
    }
