"""Class activation maps of networks whose answer is known by hand.

Occlusion finds what matters, and nothing where nothing does.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from analysis.heat_maps.checks import is_dead
from analysis.heat_maps.explain import explain_cams, explain_occlusion, with_road
from analysis.heat_maps.maps import (
    STAGES,
    cams,
    occlusion_drops,
    of_class,
    parts_up_to,
    window_and_stride,
    window_starts,
    with_random_weights,
)
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.checkpoints import TrainedModel
from trainables.models.network import FineTuneModel, build_model, set_trainable

RED, GREEN = np.array([255, 0, 0]), np.array([0, 255, 0])


class LeftHalf(nn.Module):
    """Above the stage, the network reads the left half alone."""

    def forward(self, values: Tensor) -> Tensor:
        mask = torch.zeros_like(values)
        mask[..., : values.shape[-1] // 2] = 1
        return values * mask


class Fails(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        raise RuntimeError("out of order")


def colour_reader(above: nn.Module | None = None) -> TrainedModel:
    """Class 0 is 64 times the mean red, class 1 that of green, by way of 8 x 8 cells at layer2."""
    backbone = nn.Module()
    for name in ("conv1", "bn1", "relu", "maxpool", "fc"):
        backbone.add_module(name, nn.Identity())
    for name in STAGES:
        backbone.add_module(name, nn.Sequential(nn.Identity()))
    backbone.layer2 = nn.Sequential(nn.AvgPool2d(4))
    backbone.layer3 = nn.Sequential(above or nn.Identity())
    backbone.avgpool = nn.AdaptiveAvgPool2d(1)
    classifier = nn.Linear(3, 2, bias=False)
    classifier.weight.data = torch.tensor([[64.0, 0, 0], [0, 64.0, 0]])
    model = FineTuneModel(backbone, nn.Sequential(classifier), num_features=3)
    config = FineTuneConfig(interpolation="none", resolution_px=32, preprocessing="unit")
    return TrainedModel(
        model=model, config=config, class_names=("red", "green"), base_px=32, epoch=1
    )


def red_and_green() -> np.ndarray:
    """Red in the top left cell of 8 x 8, green in the bottom right one, black elsewhere."""
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[0, :4, :4], images[0, -4:, -4:] = RED, GREEN
    return images


def only(row: int, column: int) -> np.ndarray:
    cells = np.zeros((8, 8), np.float32)
    cells[row, column] = 1
    return cells


@pytest.mark.parametrize("field", ["grad_cam", "hires_cam"])
def test_a_linear_network_is_explained_by_its_own_cells(field: str) -> None:
    trained, images = colour_reader(), np.repeat(red_and_green(), 2, axis=0)
    found = getattr(cams(trained, images, np.array([0, 1]), stage="layer2", seed=0), field)
    np.testing.assert_allclose(found, [only(0, 0), only(7, 7)], atol=1e-6)
    logits = trained.predict_logits(images)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), logits[[0, 1], [0, 1]], rtol=1e-6)


def test_hires_cam_leaves_out_what_the_network_does_not_read_and_grad_cam_does_not() -> None:
    trained = colour_reader(above=LeftHalf())
    images = red_and_green()
    images[0, :4, -4:] = RED  # seen by the stage, not by the network
    found = cams(trained, images, np.array([0]), stage="layer2", seed=0)
    np.testing.assert_allclose(found.hires_cam[0], only(0, 0), atol=1e-6)
    np.testing.assert_allclose(found.grad_cam[0], (only(0, 0) + only(0, 7)) / 2, atol=1e-6)


def test_a_class_that_nothing_speaks_for_has_a_dead_map() -> None:
    images = np.zeros((3, 32, 32, 3), np.uint8)
    images[0, 10:14, 10:14] = RED
    images[1, 10:14, 10:14] = GREEN
    found = cams(colour_reader(), images, np.zeros(3, np.int64), stage="layer2", seed=0)
    for maps in (found.grad_cam, found.hires_cam):
        assert is_dead(maps).tolist() == [False, True, True]


def untrained(*, resolution_px: int) -> TrainedModel:
    interpolation = "none" if resolution_px == 32 else "bicubic"
    config = FineTuneConfig(resolution_px=resolution_px, interpolation=interpolation, seed=3)
    model = build_model(config, 3, pretrained={}).eval()
    return TrainedModel(
        model=model, config=config, class_names=("a", "b", "c"), base_px=32, epoch=1
    )


@pytest.fixture(scope="module")
def resnet() -> TrainedModel:
    return untrained(resolution_px=64)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


@pytest.mark.parametrize(("stage", "grid"), [("layer2", 8), ("layer3", 4), ("layer4", 2)])
def test_grids_of_a_resnet_at_64_px(
    resnet: TrainedModel, noise: np.ndarray, stage: str, grid: int
) -> None:
    found = cams(resnet, noise, np.array([0, 1, 2]), stage=stage, seed=0)
    assert {maps.shape for maps in found} == {(3, grid, grid)}
    if stage == "layer4":  # a linear head on the mean: both methods are one
        np.testing.assert_allclose(found.grad_cam, found.hires_cam, rtol=1e-3, atol=1e-6)


def test_no_pictures_have_no_maps(resnet: TrainedModel, noise: np.ndarray) -> None:
    found = cams(resnet, noise[:0], np.empty(0, np.int64), stage="layer2", seed=0)
    assert {maps.shape for maps in found} == {(0, 8, 8)}


def test_no_map_depends_on_the_batch(resnet: TrainedModel, noise: np.ndarray) -> None:
    targets = np.array([0, 1, 2])
    whole, parts = (
        cams(resnet, noise, targets, stage="layer3", seed=0, batch_size=size) for size in (3, 1)
    )
    for maps, others in zip(whole, parts, strict=True):
        np.testing.assert_allclose(maps, others, rtol=1e-3, atol=1e-5)


def test_works_frozen_and_without_gradients_and_leaves_the_model_as_it_was(
    resnet: TrainedModel, noise: np.ndarray
) -> None:
    targets, model = np.zeros(3, np.int64), resnet.model
    expected = cams(resnet, noise, targets, stage="layer3", seed=0)
    try:
        set_trainable(model, None)  # phase 1: head trained, backbone frozen and in eval mode
        model.requires_grad_(False)
        model.train()
        modes = [module.training for module in model.modules()]
        with torch.inference_mode():
            found = cams(resnet, noise, targets, stage="layer3", seed=0)
        assert [module.training for module in model.modules()] == modes
        assert any(modes)
        assert not all(modes)
        assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    finally:
        set_trainable(model, "all")
        model.eval()
    for maps, others in zip(expected, found, strict=True):
        np.testing.assert_array_equal(maps, others)
    cams(resnet, noise, targets, stage="layer3", seed=0)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_an_error_leaves_no_hook_and_the_old_mode() -> None:
    trained = colour_reader(above=Fails())
    trained.model.train()
    with pytest.raises(RuntimeError, match="out of order"):
        cams(trained, red_and_green(), np.array([0]), stage="layer2", seed=0)
    for module in trained.model.modules():
        assert module.training
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        assert not any(hooks)


def test_an_unknown_stage_is_refused(resnet: TrainedModel) -> None:
    assert parts_up_to(resnet.model, "layer1") == 3
    with pytest.raises(UserError, match="stage is 'layer5'; allowed: layer1"):
        parts_up_to(resnet.model, "layer5")


def test_random_weights_are_another_network_of_the_same_make(
    resnet: TrainedModel, noise: np.ndarray
) -> None:
    other = with_random_weights(resnet, seed=4)
    assert other.predict_logits(noise).shape == (3, 3)
    assert not np.allclose(other.predict_logits(noise), resnet.predict_logits(noise))
    same = with_random_weights(resnet, seed=4)
    np.testing.assert_array_equal(other.predict_logits(noise), same.predict_logits(noise))


def test_everything_is_explained_with_its_random_twin(noise: np.ndarray) -> None:
    trained, one_picture = untrained(resolution_px=32), noise[:1]
    predictions = trained.predict_logits(one_picture).argmax(
        axis=1
    )  # a prediction spoils no gradient
    explained = explain_cams(trained, one_picture, predictions, seed=5, stages=("layer2", "layer3"))
    explained.append(explain_occlusion(trained, one_picture, predictions, seed=5))
    assert [(one.method, one.place, len(one.starts)) for one in explained] == [
        ("HiResCAM", "layer2", 4),
        ("HiResCAM", "layer3", 2),
        ("Grad-CAM", "layer2", 4),
        ("Grad-CAM", "layer3", 2),
        ("occlusion", "input", 7),
    ]
    assert explained[-1].width == 0.25
    for one in explained:
        assert not np.allclose(one.maps, one.of_random_weights)
        assert one.road_gains is None
    gains = with_road(explained[0], trained, one_picture, seed=6).road_gains
    assert gains is not None
    assert gains.shape == (1,)
    assert gains.any()


def bright_pixel(row: int, column: int):
    """Class 0 is the red of one pixel, class 1 its negative."""

    def predict(images: np.ndarray) -> np.ndarray:
        red = images[:, row, column, 0].astype(np.float32)
        return np.stack([red, -red], axis=1)

    return predict


def test_only_the_windows_over_the_pixel_that_matters_count() -> None:
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[0, 13, 22] = 200
    drops = occlusion_drops(bright_pixel(13, 22), images)
    assert drops.shape == (2, 7, 7, 2)
    rows, columns = np.nonzero(drops[0, :, :, 0])
    assert (set(rows), set(columns)) == ({2, 3}, {4, 5})  # 8..15, 12..19 and 16..23, 20..27
    assert set(drops[0, :, :, 0][rows, columns]) == {200.0}  # less the mean colour, which is 0
    np.testing.assert_array_equal(of_class(drops, np.array([1, 0]))[0], -drops[0, :, :, 0])
    assert not drops[1].any()


def test_a_picture_of_one_colour_has_nothing_to_hide() -> None:
    images = np.full((1, 32, 32, 3), 77, np.uint8)
    before = images.copy()
    assert not occlusion_drops(bright_pixel(0, 0), images).any()
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("side_px", [1, 16, 28, 32, 64, 96])
def test_windows_stay_inside_at_any_size(side_px: int) -> None:
    window_px, _ = window_and_stride(side_px)
    starts = window_starts(side_px)
    assert starts[0] == 0
    assert starts[-1] + window_px <= side_px
    if side_px % 8 == 0:
        assert len(starts) == 7
        assert starts[-1] + window_px == side_px
