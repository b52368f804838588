"""The graphs of an export against PyTorch and Pillow, on pixels; whole networks in test_export."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.checkpoints import TrainedModel
from trainables.models.formats import FILES, open_model
from trainables.models.graph_models import OnnxModel, ProgramModel
from trainables.models.graphs import PictureNetwork, save_onnx, save_program, trace

SIDE_PX, RESOLUTION_PX = 20, 34
NAMES = ("cat", "très cher", "日本")
KERNELS = [
    ("nearest", "imagenet"), ("bilinear", "caffe"), ("bicubic", "unit"), ("lanczos", "imagenet"),
    ("none", "caffe"),
]  # fmt: skip


def pixels_as_logits(interpolation: str, preprocessing: str) -> TrainedModel:
    """A "network" that answers with the pixels it is given: what the graph makes of pictures."""
    same = interpolation == "none"
    config = FineTuneConfig(
        resolution_px=32 if same else RESOLUTION_PX,
        interpolation=interpolation,
        preprocessing=preprocessing,
    )
    return TrainedModel(
        model=nn.Flatten(),
        config=config,
        class_names=NAMES,
        base_px=32 if same else SIDE_PX,
        epoch=1,
    )


def pictures(side_px: int, count: int = 5) -> np.ndarray:
    """Noise and black-and-white noise, which overshoots the most."""
    noise = np.random.default_rng(0).integers(0, 256, (count, side_px, side_px, 3))
    noise[::2] = 255 * (noise[::2] > 127)
    return noise.astype(np.uint8)


@pytest.fixture(scope="module")
def lanczos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    program = trace(pixels_as_logits("lanczos", "unit"))
    save_program(program, NAMES, folder / FILES["torch-export"])
    save_onnx(program, NAMES, folder / FILES["onnx"])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("interpolation", "preprocessing"), KERNELS)
def test_every_kernel_and_normalisation_is_in_both_graphs(
    tmp_path: Path, interpolation: str, preprocessing: str
) -> None:
    trained = pixels_as_logits(interpolation, preprocessing)
    images = pictures(trained.base_px)
    expected = PictureNetwork(trained)(torch.tensor(images)).numpy()
    program = trace(trained)
    save_program(program, NAMES, tmp_path / "model.pt2")
    save_onnx(program, NAMES, tmp_path / "model.onnx")
    for model in (OnnxModel(tmp_path / "model.onnx"), ProgramModel(tmp_path / "model.pt2")):
        np.testing.assert_allclose(
            model.predict_logits(images), expected, atol=1e-4, err_msg=str(model)
        )


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
def test_lanczos_in_a_graph_is_pillows(lanczos: Path, form: str) -> None:
    images = pictures(SIDE_PX)
    told = open_model(lanczos, form).predict_logits(images)
    planes = told.reshape(len(images), 3, RESOLUTION_PX, RESOLUTION_PX)
    for picture, ours in zip(images, planes.transpose(0, 2, 3, 1) * 255, strict=True):
        size = (RESOLUTION_PX, RESOLUTION_PX)
        theirs = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        assert np.abs(ours.round() - theirs).max() <= 1


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
def test_a_graph_knows_its_classes_and_size_and_takes_any_batch(lanczos: Path, form: str) -> None:
    model = open_model(lanczos, form)
    assert (model.class_names, model.base_px) == (NAMES, SIDE_PX)
    images = pictures(SIDE_PX, count=7)
    whole = model.predict_logits(images)
    for batch_size in (1, 2, 3):
        parts = model.predict_logits(images, batch_size=batch_size)
        np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_the_input_is_raw_pictures_as_pillow_hands_them_out(lanczos: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(lanczos / "model.onnx"))
    (given,), (told,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type) == ("images", "tensor(uint8)")
    assert given.shape == ["batch", SIDE_PX, SIDE_PX, 3]
    assert (told.name, told.shape[0]) == ("logits", "batch")


def test_no_path_of_this_machine_and_no_pickle_travels_along(lanczos: Path) -> None:
    here = str(Path(__file__).parents[3]).encode()
    assert here not in (lanczos / "model.onnx").read_bytes()
    with zipfile.ZipFile(lanczos / "model.pt2") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert not any(here in content for content in parts.values())
    configs = [json.loads(v) for name, v in parts.items() if name.endswith("_config.json")]
    payloads = [payload for config in configs for payload in config["config"].values()]
    assert payloads
    assert not any(payload["use_pickle"] for payload in payloads)


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_a_damaged_graph_is_one_line(tmp_path: Path, form: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILES[form]).write_bytes(content)
    with pytest.raises(UserError, match="cannot be read") as caught:
        open_model(tmp_path, form)
    (fault,) = caught.value.faults
    assert "\n" not in fault
