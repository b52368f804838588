"""Training a backbone from scratch: crops, recipe, and the entry point end to end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.models.network import build_model
from trainables.models.resize import Resize, kernel_matrix
from trainables.models.weights import load_backbone_state
from trainables.pretrain import __main__ as pretrain
from trainables.pretrain.from_scratch import (
    EpochResult,
    Recipe,
    crop_matrices,
    random_crops,
    top1,
    train_from_scratch,
)

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Steps this small gain nothing from a second thread, and lose much on a busy machine."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image folder of two classes that a glance tells apart: reddish and bluish noise."""
    rng = np.random.default_rng(0)
    for name, tint in (("blue", (0, 0, 120)), ("red", (120, 0, 0))):
        place = tmp_path / "pictures" / "train" / name
        place.mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 120, (36, 32, 3)) + np.array(tint)
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{i:02}.png")
    return tmp_path / "pictures"


def two_tints(num_pictures: int = 48, side_px: int = 32) -> ImageSet:
    rng = np.random.default_rng(1)
    labels = np.arange(num_pictures) % 2
    images = rng.integers(0, 120, (num_pictures, side_px, side_px, 3), dtype=np.uint8)
    images[labels == 0, ..., 2] += 120
    images[labels == 1, ..., 0] += 120
    return ImageSet(images=images, labels=labels.astype(np.int64), class_names=("blue", "red"))


# Crops


@pytest.mark.parametrize("out_px", [40, 64, 96])
def test_a_crop_of_everything_is_a_resize(out_px: int) -> None:
    matrix = crop_matrices(torch.zeros(1), torch.full((1,), 64.0), 64, out_px)[0]
    np.testing.assert_allclose(matrix.numpy(), kernel_matrix(64, out_px, "bilinear"), atol=1e-5)


def test_a_crop_matrix_by_hand() -> None:
    # Two of four pixels, from 1 to 3, as two: exactly these two pixels.
    crop = crop_matrices(torch.tensor([1.0]), torch.tensor([2.0]), 4, 2)[0]
    assert crop.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]


def test_whole_pictures_come_out_upright_or_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.pretrain.from_scratch.AREA", (1.0, 1.0))
    monkeypatch.setattr("trainables.pretrain.from_scratch.ASPECT_RATIO", (1.0, 1.0))
    images = torch.tensor(two_tints(64).images)
    crops = random_crops(images, 48, torch.Generator().manual_seed(0))
    upright = Resize(32, 48, "bilinear")(images)
    is_upright = [torch.allclose(c, u, atol=1e-4) for c, u in zip(crops, upright, strict=True)]
    is_mirrored = [
        torch.allclose(c, u.flip(2), atol=1e-4) for c, u in zip(crops, upright, strict=True)
    ]
    assert all(a != b for a, b in zip(is_upright, is_mirrored, strict=True))
    assert 16 < sum(is_mirrored) < 48


def test_crops_see_parts_of_the_picture_and_depend_on_the_generator_alone() -> None:
    # A ramp from left to right: a crop's range of values tells its width.
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (64, 64, 3))
    images = torch.tensor(np.stack([ramp] * 200))
    crops = random_crops(images, 32, torch.Generator().manual_seed(3))
    assert crops.shape == (200, 3, 32, 32)
    assert crops.is_contiguous(memory_format=torch.channels_last)
    ranges = crops[:, 0, 0].amax(1) - crops[:, 0, 0].amin(1)
    whole = Resize(64, 32, "bilinear")(images[:1])[0, 0, 0]
    share = ranges / (whole.max() - whole.min())
    assert share.max() <= 1.001
    assert 0.4 < share.min() < 0.55  # least width: sqrt(0.25 * 3 / 4) = 0.43
    assert torch.equal(crops, random_crops(images, 32, torch.Generator().manual_seed(3)))
    assert not torch.equal(crops, random_crops(images, 32, torch.Generator().manual_seed(4)))


# Recipe


def test_resolutions_share_the_epochs() -> None:
    recipe = Recipe(epochs=5, resolutions_px=(40, 64))
    assert [recipe.resolution_px(epoch) for epoch in range(1, 6)] == [40, 40, 40, 64, 64]
    recipe = Recipe(epochs=16, resolutions_px=(40, 48, 56, 64))
    assert [recipe.resolution_px(epoch) for epoch in (1, 4, 5, 12, 13, 16)] == [
        *(40, 40, 48),
        *(56, 64, 64),
    ]


def test_all_faults_of_a_recipe_at_once() -> None:
    with pytest.raises(UserError) as caught:
        Recipe(epochs=1, batch_size=1, max_lr=0, resolutions_px=(16, 64))
    assert [fault.split(" ")[0] for fault in caught.value.faults] == [
        *("batch_size", "max_lr", "resolutions", "resolutions")
    ]


def test_fewer_pictures_than_a_batch_are_refused() -> None:
    model = build_model(FineTuneConfig(weights="none"), 2)
    pictures = two_tints(8)
    epochs = train_from_scratch(model, pictures, pictures, Recipe(batch_size=16), CPU)
    with pytest.raises(UserError, match="batch_size is 16 with 8 training pictures"):
        next(epochs)


# Training


class Tint(torch.nn.Module):
    """Says "red" where there is more red than blue; an oracle for the two tints."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images[:, 2], images[:, 0]], dim=1).mean(dim=(2, 3))


def test_top1_is_a_share() -> None:
    pictures = two_tints(48)
    assert top1(Tint(), pictures, 32, CPU) == 1.0
    three_wrong = pictures.labels.copy()
    three_wrong[:12] = 1 - three_wrong[:12]
    wrong = ImageSet(images=pictures.images, labels=three_wrong, class_names=("blue", "red"))
    assert top1(Tint(), wrong, 40, CPU) == 0.75


@pytest.mark.timeout(30)
def test_loss_falls_and_a_seed_reproduces_it() -> None:
    recipe = Recipe(epochs=3, batch_size=16, max_lr=0.01, resolutions_px=(32,), seed=4)

    def epochs() -> Iterator[EpochResult]:
        model = build_model(FineTuneConfig(weights="none", seed=4), 2)
        return train_from_scratch(model, two_tints(), two_tints(24), recipe, CPU)

    first, second, third = epochs()
    assert third.loss < first.loss
    again = next(epochs())
    assert (again.loss, again.val_top1) == (first.loss, first.val_top1)
    assert (first.epoch, second.epoch, third.epoch) == (1, 2, 3)


@pytest.mark.timeout(30)
def test_divergence_is_an_error_not_a_result() -> None:
    model = build_model(FineTuneConfig(weights="none"), 2)
    with torch.no_grad():
        next(model.backbone.parameters()).fill_(float("nan"))
    recipe = Recipe(epochs=1, batch_size=16, resolutions_px=(32,))
    with pytest.raises(UserError, match="the loss is nan in epoch 1; lower"):
        next(train_from_scratch(model, two_tints(16), two_tints(16), recipe, CPU))


# Entry point


def arguments(folder: Path, default_out: Path, **changes: Any) -> list[str]:
    options: dict[str, Any] = {
        "data": f"imagefolder:{folder}",
        "out": default_out,
        "train_size": 48,
        "val_size": 12,
        "epochs": 2,
        "batch_size": 16,
        "max_lr": 0.05,
        "resolutions": "32,40",
        "device": "cpu",
        **changes,
    }
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


@pytest.mark.timeout(30)
def test_trains_writes_and_is_loaded_by_path(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.safetensors"
    pretrain.main(arguments(folder, out))

    lines = capsys.readouterr().out.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
    assert lines[header].split() == ["epoch", "px", "loss", "val", "top-1", "images/s"]
    rows = [line.split() for line in lines[header + 1 : header + 3]]
    assert [row[:2] for row in rows] == [["1", "32"], ["2", "40"]]
    assert len({len(line) for line in lines[header : header + 3]}) == 1  # aligned

    with safe_open(out, "pt") as file:
        metadata = file.metadata()
        assert file.get_slice("conv1.weight").get_dtype() == "F16"
        assert file.get_slice("fc.weight").get_shape() == [2, 512]
        stored = file.get_tensor("layer4.1.conv2.weight")
    assert metadata["architecture"] == "torchvision resnet18, num_classes=2"
    assert metadata["resolution"] == "40"
    assert metadata["normalisation"] == "ImageNet mean/std"
    assert metadata["epoch"] == "2 of 2"
    assert float(metadata["val_top1"]) == pytest.approx(float(rows[1][3].rstrip("%")) / 100)

    state = load_backbone_state("resnet18", str(out))
    assert state["bn1.num_batches_tracked"] == 2 * 3
    model = build_model(FineTuneConfig(weights=str(out)), 10)
    loaded = model.state_dict()["backbone.layer4.1.conv2.weight"]
    assert torch.equal(loaded, stored.float())
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"out": "weights.pth"}, "--out is weights.pth; allowed: a name ending in .safetensors"),
        ({"out": "no/such/folder/w.safetensors"}, "make the folder"),
        ({"backbone": "vgg16"}, "backbone is 'vgg16'; allowed: resnet18"),
        ({"resolutions": "8"}, "allowed: 32 to 512"),
        ({"data": "nonsense:x"}, "source is 'nonsense:x'"),
        ({"train_size": 480}, "train_size 480"),
        ({"device": "tpu"}, "--device is 'tpu'; allowed: auto, cpu, cuda"),
    ],
)
def test_mistakes_are_refused(
    folder: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    part: str,
) -> None:
    out = tmp_path / "mine.safetensors"
    with pytest.raises(UserError) as caught:
        pretrain.main(arguments(folder, out, **changes))
    assert part in str(caught.value)
    assert not out.exists()
