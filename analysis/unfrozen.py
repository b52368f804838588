"""How deep does an unfreeze point lie? In layers of the backbone, so that depths compare."""

from collections.abc import Sequence

import numpy as np

from analysis.statistics.metrics import FloatArray
from analysis.trials.tried import Setting

# Layers that own parameters: of layer4, of layer3 and layer4, and of all (torchvision's ResNets).
LAYERS = {
    "resnet18": {"stage4": 10, "stage3": 20, "all": 40},
    "resnet34": {"stage4": 14, "stage3": 40, "all": 72},
    "resnet50": {"stage4": 20, "stage3": 58, "all": 106},
    "resnet101": {"stage4": 20, "stage3": 160, "all": 208},
}


def unfrozen_layers(backbone: str, unfreeze: str) -> int:
    """The number of backbone layers that phase 2 trains; KeyError for an unknown name."""
    if unfreeze.startswith("top"):
        return int(unfreeze.removeprefix("top"))
    return LAYERS[backbone][unfreeze]


def is_known(setting: Setting, backbones: Sequence[str]) -> bool:
    """Whether every trial's depth can be counted in layers."""
    return bool(setting.asked.all()) and all(
        level.startswith("top") or level in LAYERS.get(backbone, {})
        for level in setting.levels
        for backbone in set(backbones)
    )


def depth_of(setting: Setting, backbones: Sequence[str]) -> Setting:
    """The setting `unfreeze` as a number: doublings of the unfrozen layers (their log2)."""
    layers: FloatArray = np.array(
        [
            unfrozen_layers(backbone, setting.levels[int(place)])
            for backbone, place in zip(backbones, setting.values, strict=True)
        ],
        dtype=float,
    )
    return Setting(
        name=setting.name, levels=(), values=np.log2(layers), step="doubling of the layers"
    )
