"""Depths in layers are those that phase 2 trains."""

import pytest
from torchvision.models import get_model

from analysis.trials.linear_model import LAYERS, unfrozen_layers
from trainables.models.network import DEPTHS, trainable_layers


@pytest.mark.parametrize("backbone", LAYERS)
def test_layers_are_those_of_the_backbone(backbone: str) -> None:
    model = get_model(backbone)
    del model.fc  # the head takes its place
    for depth in DEPTHS:
        assert unfrozen_layers(backbone, depth) == len(trainable_layers(model, depth))
