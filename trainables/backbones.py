"""The backbones that can be trained, a row each: what is known of one before it is built.

All are torchvision's ResNets. A layer is a module that owns parameters: a convolution, or a
BatchNorm. How deep phase 2 may unfreeze is here too, since it counts in these layers and stages.
"""

from dataclasses import dataclass

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")  # in the order of execution


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """One row of `BACKBONES`.

    Attributes:
        layers: how many layers each of `STAGES` has.
        has_imagenet_v2: whether torchvision offers ImageNet weights V2 besides V1.
    """

    layers: tuple[int, int, int, int, int]
    has_imagenet_v2: bool = False

    def layers_from(self, stage: str) -> int:
        """The number of layers in a stage and all above it."""
        return sum(self.layers[STAGES.index(stage) :])


BACKBONES = {
    "resnet18": Backbone(layers=(2, 8, 10, 10, 10)),
    "resnet34": Backbone(layers=(2, 12, 18, 26, 14)),
    "resnet50": Backbone(layers=(2, 20, 26, 38, 20), has_imagenet_v2=True),
    "resnet101": Backbone(layers=(2, 20, 26, 140, 20), has_imagenet_v2=True),
}
# What phase 2 trains of the backbone: so many of the top layers, or all from this stage up.
UNFREEZE_DEPTHS: dict[str, int | str] = {
    "top5": 5,
    "top10": 10,
    "top15": 15,
    "top20": 20,
    "stage4": "layer4",
    "stage3": "layer3",
    "all": "stem",
}


def unfrozen_layers(backbone: str, depth: str) -> int:
    """How many layers of a backbone phase 2 trains; KeyError for an unknown name."""
    top = UNFREEZE_DEPTHS[depth]
    return top if isinstance(top, int) else BACKBONES[backbone].layers_from(top)
