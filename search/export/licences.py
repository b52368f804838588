"""Under which licences an exported model stands: what was trained here, and its backbone."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

from trainables.models.run_weights import content_of
from trainables.models.weights import EMBEDDED_LICENSE, EMBEDDED_SHA256

BACKBONE_LICENSE = "LICENSE.backbone"  # in an export, beside the card


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Of one model.

    Attributes:
        front: what the front matter of a card says, as the Hub reads it.
        sentence: the same for people.
        text: the backbone's licence, which has to accompany copies; "": none does.
    """

    front: dict[str, Any]
    sentence: str
    text: str = ""


def licence_of(weights: str, identity: str) -> Licence:
    """The licence of a model by what its backbone started from.

    Args:
        weights: as its configuration names them.
        identity: their `weights_id`; "" where it is not on record.
    """
    if content_of(identity) == EMBEDDED_SHA256:
        return Licence(
            front={
                "license": "other",
                "license_name": "apache-2.0-and-mit",
                "license_link": BACKBONE_LICENSE,
            },
            sentence="what was added in training is Apache-2.0; the backbone's weights are MIT "
            f"(`{BACKBONE_LICENSE}`, which has to accompany copies): the ResNet-18 of the NuGet "
            "package Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1, converted and adapted to "
            "small pictures by two-phase-search",
            text=(resources.files("trainables") / "assets" / EMBEDDED_LICENSE).read_text(),
        )
    if weights in ("embedded", "none"):  # the net that releases before embedded was the project's
        return Licence(
            front={"license": "apache-2.0"}, sentence="Apache-2.0, as the project that trained it"
        )
    return Licence(
        front={"license": "other", "license_name": "see-card"},
        sentence="what was added in training is Apache-2.0; the backbone's weights and the "
        "pictures have terms of their own, which this card does not know",
    )
