"""The table of backbones says what torchvision builds."""

import pytest
import torch
from torchvision.models import get_model, get_model_weights

from trainables.backbones import BACKBONES, STAGES, UNFREEZE_DEPTHS, unfrozen_layers
from trainables.models.network import backbone_layers, stage_of, trainable_layers


@pytest.mark.parametrize("backbone", BACKBONES)
def test_layers_are_those_of_the_backbone(backbone: str) -> None:
    with torch.device("meta"):
        model = get_model(backbone)
    del model.fc  # the head takes its place
    stages = [stage_of(name) for name, _ in backbone_layers(model)]
    assert BACKBONES[backbone].layers == tuple(stages.count(stage) for stage in STAGES)
    for depth in UNFREEZE_DEPTHS:
        assert unfrozen_layers(backbone, depth) == len(trainable_layers(model, depth))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_versions_of_weights_are_those_that_torchvision_offers(backbone: str) -> None:
    versions = get_model_weights(backbone).__members__
    assert BACKBONES[backbone].has_imagenet_v2 == ("IMAGENET1K_V2" in versions)
