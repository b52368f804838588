"""Heads, unfreeze depths and frozen statistics of the fine-tuned model."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from trainables.config import CHOICES, FineTuneConfig
from trainables.errors import UserError
from trainables.models.network import (
    FineTuneModel,
    backbone_layers,
    build_model,
    set_trainable,
    trainable_layers,
)
from trainables.models.weights import load_backbone_state

# Two layers (convolution, BatchNorm) in the stem, 4 a basic and 6 a bottleneck block, and 2 for the
# projection of each stage that changes the width (stages 2-4, and stage 1 of bottleneck nets).
# Columns: whole backbone, stage 4, stages 3 and 4.
NUM_LAYERS = {
    "resnet18": (2 + 4 * 8 + 2 * 3, 4 * 2 + 2, 4 * 4 + 2 * 2),
    "resnet34": (2 + 4 * 16 + 2 * 3, 4 * 3 + 2, 4 * 9 + 2 * 2),
    "resnet50": (2 + 6 * 16 + 2 * 4, 6 * 3 + 2, 6 * 9 + 2 * 2),
    "resnet101": (2 + 6 * 33 + 2 * 4, 6 * 3 + 2, 6 * 26 + 2 * 2),
}
NUM_FEATURES = {"resnet18": 512, "resnet34": 512, "resnet50": 2048, "resnet101": 2048}


@pytest.fixture(scope="module")
def embedded() -> dict[str, Tensor]:
    return load_backbone_state("resnet18", "embedded")


@pytest.fixture
def model(embedded: dict[str, Tensor]) -> FineTuneModel:
    return build_model(FineTuneConfig(), 10, pretrained=embedded)


def without_memory(**settings: Any) -> FineTuneModel:
    """A model on the meta device: names and shapes, no numbers."""
    with torch.device("meta"):
        return build_model(FineTuneConfig(weights="none", **settings), 10)


def pixels(batch: int = 4) -> Tensor:
    return torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def batch_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]


@pytest.mark.parametrize("backbone", NUM_LAYERS)
def test_depths_train_the_expected_layers(backbone: str) -> None:
    whole, stage4, stage3 = NUM_LAYERS[backbone]
    model = without_memory(backbone=backbone)
    expected = {"top5": 5, "top10": 10, "top15": 15, "top20": 20}
    expected |= {"stage4": stage4, "stage3": stage3, "all": whole}
    assert tuple(expected) == CHOICES["unfreeze"]
    for depth, num_trained in expected.items():
        set_trainable(model, depth)
        trains = [
            all(p.requires_grad for p in layer.parameters())
            for _, layer in backbone_layers(model.backbone)
        ]
        assert trains == [False] * (whole - num_trained) + [True] * num_trained
        assert len(model.frozen) == whole - num_trained
        assert all(p.requires_grad for p in model.head.parameters())


@pytest.mark.parametrize("backbone", NUM_LAYERS)
def test_every_backbone_parameter_belongs_to_one_layer(backbone: str) -> None:
    model = without_memory(backbone=backbone).backbone
    owned = [p for _, layer in backbone_layers(model) for p in layer.parameters()]
    assert len(owned) == len(set(owned)) == len(list(model.parameters()))


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_layers_are_listed_in_the_order_of_execution(backbone: str) -> None:
    model = without_memory(backbone=backbone).backbone
    listed = backbone_layers(model)
    executed: list[str] = []
    for name, layer in listed:
        layer.register_forward_hook(lambda *_, name=name: executed.append(name))
    model(torch.empty(2, 3, 64, 64, device="meta"))
    assert executed == [name for name, _ in listed]


def test_stage4_of_resnet18_is_its_top_10_and_ends_with_a_projection_in_the_first_block() -> None:
    model = without_memory().backbone
    names = [name for name, _ in trainable_layers(model, "stage4")]
    assert names == [name for name, _ in trainable_layers(model, "top10")]
    assert names[:6] == [
        "layer4.0.conv1",
        "layer4.0.bn1",
        "layer4.0.conv2",
        "layer4.0.bn2",
        "layer4.0.downsample.0",
        "layer4.0.downsample.1",
    ]


def test_top5_of_resnet18_is_its_last_block_and_the_shortcut_before_it() -> None:
    names = [name for name, _ in trainable_layers(without_memory().backbone, "top5")]
    last_block = ["layer4.1.conv1", "layer4.1.bn1", "layer4.1.conv2", "layer4.1.bn2"]
    assert names == ["layer4.0.downsample.1", *last_block]


@pytest.mark.parametrize("depth", [None, "top5", "stage4", "all"])
def test_gradients_flow_only_where_the_depth_says(model: FineTuneModel, depth: str | None) -> None:
    set_trainable(model, depth)
    model.train()
    model(pixels()).square().sum().backward()
    unfrozen = {name for name, _ in trainable_layers(model.backbone, depth)}
    for name, layer in backbone_layers(model.backbone):
        has_gradient = {p.grad is not None for p in layer.parameters()}
        assert has_gradient == {name in unfrozen}, name
    assert all(p.grad is not None for p in model.head.parameters())


@pytest.mark.parametrize(("depth", "num_moving"), [(None, 0), ("top5", 3), ("stage4", 5)])
def test_statistics_of_frozen_batch_norm_never_move(
    model: FineTuneModel, depth: str | None, num_moving: int
) -> None:
    model.train()
    set_trainable(model, depth)  # takes effect at once
    before = copy.deepcopy(model.backbone.state_dict())
    model(pixels())
    model.eval()
    model(pixels())
    model.train()
    model.train()
    model(pixels())
    moved = {
        name
        for name, norm in model.backbone.named_modules()
        if isinstance(norm, nn.BatchNorm2d)
        and not torch.equal(norm.state_dict()["running_mean"], before[f"{name}.running_mean"])
    }
    counted = {
        name.removesuffix(".num_batches_tracked")
        for name, value in model.backbone.state_dict().items()
        if name.endswith("num_batches_tracked") and value != before[name]
    }
    unfrozen = {name for name, _ in trainable_layers(model.backbone, depth)}
    assert moved == counted == {name for name in unfrozen if "bn" in name or "downsample.1" in name}
    assert len(moved) == num_moving


def test_gradual_unfreezing_returns_layers_to_train_mode(model: FineTuneModel) -> None:
    model.train()
    for depth, num_training in ((None, 0), ("stage4", 5), ("all", 20), ("top5", 3)):
        set_trainable(model, depth)
        assert sum(norm.training for norm in batch_norms(model.backbone)) == num_training
    model.eval()
    set_trainable(model, "all")
    assert not any(norm.training for norm in batch_norms(model))


def test_a_copy_keeps_its_own_frozen_layers(model: FineTuneModel) -> None:
    set_trainable(model, "stage4")
    twin = copy.deepcopy(model).train()
    assert sum(norm.training for norm in batch_norms(twin.backbone)) == 5
    assert not set(twin.frozen) & set(model.frozen)


def test_an_unknown_depth_is_refused_and_changes_nothing(model: FineTuneModel) -> None:
    set_trainable(model, "top5")
    frozen = model.frozen
    with pytest.raises(UserError, match="'top7'; allowed: top5, top10"):
        set_trainable(model, "top7")
    assert model.frozen is frozen


@pytest.mark.parametrize(
    ("head", "kinds"),
    [
        ("linear", "Dropout Linear"),
        ("mlp", "Linear ReLU Linear ReLU Dropout Linear"),
        ("bn_dropout", "BatchNorm1d Dropout Linear ReLU BatchNorm1d Dropout Linear"),
    ],
)
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_heads(backbone: str, head: str, kinds: str) -> None:
    model = without_memory(backbone=backbone, head=head, dropout=0.25)
    assert [type(layer).__name__ for layer in model.head] == kinds.split()
    assert {layer.p for layer in model.head if isinstance(layer, nn.Dropout)} == {0.25}
    images = torch.empty(2, 3, 32, 32, device="meta")
    assert model.features(images).shape == (2, NUM_FEATURES[backbone])
    assert model.num_features == NUM_FEATURES[backbone]
    assert model(images).shape == (2, 10)


def test_hidden_widths_of_the_heads() -> None:
    def widths(head: str) -> list[int]:
        layers = without_memory(head=head).head
        return [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]

    assert widths("mlp") == [128, 64, 10]
    assert widths("bn_dropout") == [256, 10]


def test_forward_is_head_of_features(model: FineTuneModel) -> None:
    model.eval()
    assert torch.equal(model(pixels()), model.head(model.features(pixels())))


def test_pretrained_tensors_are_loaded_and_copied(
    model: FineTuneModel, embedded: dict[str, Tensor]
) -> None:
    loaded = model.backbone.state_dict()
    assert loaded.keys() == embedded.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in embedded.items())
    before = embedded["conv1.weight"].clone()
    with torch.no_grad():
        next(model.backbone.parameters()).zero_()
    assert torch.equal(embedded["conv1.weight"], before)


def test_features_are_torchvisions(model: FineTuneModel, embedded: dict[str, Tensor]) -> None:
    reference = get_model("resnet18", weights=None)
    reference.fc = nn.Identity()
    reference.load_state_dict(embedded)
    torch.testing.assert_close(model.eval().features(pixels()), reference.eval()(pixels()))


def test_random_parts_depend_on_the_seed_alone(embedded: dict[str, Tensor]) -> None:
    def head_weight(seed: int, pretrained: dict[str, Tensor]) -> Tensor:
        torch.manual_seed(seed * 17 + len(pretrained))  # the caller's state must not matter
        model = build_model(FineTuneConfig(seed=seed), 10, pretrained=pretrained)
        return model.state_dict()["head.1.weight"]

    assert torch.equal(head_weight(3, embedded), head_weight(3, embedded))
    assert torch.equal(head_weight(3, embedded), head_weight(3, {}))
    assert not torch.equal(head_weight(3, embedded), head_weight(4, embedded))


def test_a_random_backbone_depends_on_the_seed() -> None:
    def first_kernel(seed: int) -> Tensor:
        model = build_model(FineTuneConfig(weights="none", seed=seed), 10)
        return model.state_dict()["backbone.conv1.weight"]

    assert torch.equal(first_kernel(1), first_kernel(1))
    assert not torch.equal(first_kernel(1), first_kernel(2))


@pytest.mark.parametrize("weights", ["none", "embedded"])
def test_building_leaves_the_random_state_alone(weights: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_model(FineTuneConfig(weights=weights, head="mlp"), 10)
    assert torch.equal(torch.rand(3), expected)
