"""Resizing matrices against Pillow and torch, and what `Resize` promises.

Preprocessings against the numbers that Keras and torchvision document.
"""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F

from trainables.config import CHOICES
from trainables.errors import UserError
from trainables.models.resize import MODES, PREPROCESSING, Normalisation, Resize, kernel_matrix

KERNELS = ("nearest", "bilinear", "bicubic", "lanczos")
GREY_LEVELS = Normalisation(channel_order="RGB", scale=1.0, mean=(0, 0, 0), std=(1, 1, 1))
SIZES = [(32, 32), (32, 48), (32, 64), (32, 96), (32, 128), (32, 224), (64, 32)]


def grey_levels(images: np.ndarray, out_px: int, mode: str) -> np.ndarray:
    """The resized pictures as float grey levels (B, R, R, 3), without normalisation."""
    resize = Resize(images.shape[1], out_px, mode, normalisation=GREY_LEVELS)
    return resize(torch.tensor(images)).permute(0, 2, 3, 1).numpy()


def noise(side_px: int, *, levels: tuple[int, int] = (0, 256), batch: int = 2) -> np.ndarray:
    rng = np.random.default_rng(side_px)
    return rng.integers(*levels, (batch, side_px, side_px, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", KERNELS)
@pytest.mark.parametrize(("in_px", "out_px"), SIZES)
def test_agrees_with_pillow_within_one_grey_level(in_px: int, out_px: int, mode: str) -> None:
    # Black-and-white noise overshoots the most, so both passes clamp.
    images = np.concatenate([noise(in_px), noise(in_px, levels=(0, 2)) * 255])
    resized = grey_levels(images, out_px, mode).round()
    pillow_filter = Image.Resampling[mode.upper()]
    for ours, image in zip(resized, images, strict=True):
        theirs = np.asarray(Image.fromarray(image).resize((out_px, out_px), pillow_filter))
        assert np.abs(ours - theirs).max() <= (0 if mode == "nearest" else 1)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("in_px", "out_px"), SIZES)
def test_agrees_with_torch_antialias(in_px: int, out_px: int, mode: str) -> None:
    images = noise(in_px, levels=(96, 160))  # mid greys: nothing to clamp
    planes = torch.tensor(images).permute(0, 3, 1, 2).float()
    theirs = F.interpolate(planes, size=(out_px, out_px), mode=mode, antialias=True)
    ours = grey_levels(images, out_px, mode).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-3)


def test_bilinear_doubling_by_hand() -> None:
    # Centres of the four new pixels at 0.25, 0.75, 1.25, 1.75; those of the old ones at 0.5, 1.5.
    expected = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(kernel_matrix(2, 4, "bilinear"), expected)


def test_bilinear_halving_widens_the_kernel() -> None:
    # Centre 1.0, width 2: distances 0.25, 0.25, 0.75, (1.25); renormalised over what is there.
    expected = np.array([0.75, 0.75, 0.25, 0]) / 1.75
    np.testing.assert_allclose(kernel_matrix(4, 2, "bilinear")[0], expected, rtol=1e-6)


def test_bicubic_doubling_by_hand() -> None:
    # Centre at 2.75; with a = -0.5 the pixels at distance 0.25, 0.75, 1.25, 1.75 weigh this much.
    expected = [0, -0.0703125, 0.8671875, 0.2265625, -0.0234375, 0]
    np.testing.assert_allclose(kernel_matrix(6, 12, "bicubic")[5], expected, atol=1e-7)


@settings(deadline=None)
@given(in_px=st.integers(1, 96), out_px=st.integers(1, 260), mode=st.sampled_from(KERNELS))
def test_rows_sum_to_one_and_mirror(in_px: int, out_px: int, mode: str) -> None:
    matrix = kernel_matrix(in_px, out_px, mode)
    assert matrix.shape == (out_px, in_px)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    if mode != "nearest":  # between two pixels the nearest is not symmetric
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-5)


@settings(deadline=None)
@given(px=st.integers(1, 128), mode=st.sampled_from(MODES))
def test_equal_sizes_are_the_identity(px: int, mode: str) -> None:
    np.testing.assert_allclose(kernel_matrix(px, px, mode), np.eye(px), atol=1e-6)


@pytest.mark.parametrize("out_px", [32, 48])
def test_normalises_as_imagenet_does_unless_told_otherwise_and_is_channels_last(out_px) -> None:
    images = np.full((3, 32, 32, 3), (255, 51, 0), dtype=np.uint8)
    resized = Resize(32, out_px, "bicubic")(torch.tensor(images))
    assert resized.shape == (3, 3, out_px, out_px)
    assert resized.is_contiguous(memory_format=torch.channels_last)
    by_hand = [(1.0 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.0 - 0.406) / 0.225]
    for channel, expected in enumerate(by_hand):
        np.testing.assert_allclose(resized[:, channel].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("name", PREPROCESSING)
@pytest.mark.parametrize(("out_px", "mode"), [(32, "none"), (32, "bicubic"), (48, "bicubic")])
def test_every_preprocessing_is_its_formula_on_the_resized_picture(name, out_px, mode) -> None:
    images = np.concatenate([noise(32), noise(32, levels=(0, 2)) * 255])  # overshoots, so clamps
    red, green, blue = np.moveaxis(grey_levels(images, out_px, mode), 3, 0)
    expected = {
        "imagenet": [
            (red / 255 - 0.485) / 0.229,
            (green / 255 - 0.456) / 0.224,
            (blue / 255 - 0.406) / 0.225,
        ],
        "caffe": [blue - 103.939, green - 116.779, red - 123.68],
        "unit": [red / 255, green / 255, blue / 255],
    }[name]
    resized = Resize(32, out_px, mode, normalisation=PREPROCESSING[name])(torch.tensor(images))
    assert resized.is_contiguous(memory_format=torch.channels_last)
    largest = {"imagenet": 3, "caffe": 152, "unit": 1}[name]
    np.testing.assert_allclose(
        resized.numpy(), np.stack(expected, axis=1), rtol=0, atol=1e-6 * largest
    )


def test_none_leaves_the_grey_levels_alone() -> None:
    images = noise(32)
    np.testing.assert_array_equal(grey_levels(images, 32, "none"), images)


def test_clamps_overshoot_to_black_and_white() -> None:
    images = noise(32, levels=(0, 2)) * 255
    levels = grey_levels(images, 64, "lanczos")
    assert levels.min() == pytest.approx(0, abs=1e-4)
    assert levels.max() == pytest.approx(255, abs=1e-3)


def test_arithmetic_is_float32_under_autocast_and_only_the_result_is_cast() -> None:
    images = torch.tensor(noise(32))
    exact = Resize(32, 64, "bicubic")(images)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Resize(32, 64, "bicubic")(images), exact)
    cast = Resize(32, 64, "bicubic", dtype=torch.bfloat16)(images)
    assert torch.equal(cast, exact.bfloat16())


def test_strided_views_are_taken() -> None:
    images = torch.tensor(noise(32, batch=4))
    resize = Resize(32, 40, "bilinear")
    assert torch.equal(resize(images[::2]), resize(images)[::2])
    assert torch.equal(resize(images.flip(2)), resize(images.flip(2).contiguous()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("mode", KERNELS)
def test_gpu_agrees_with_cpu(mode: str) -> None:
    images = torch.tensor(noise(32))
    on_gpu = Resize(32, 64, mode, "cuda")(images.cuda())
    torch.testing.assert_close(on_gpu.cpu(), Resize(32, 64, mode)(images), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("in_px", "out_px", "mode", "part"),
    [
        (32, 64, "none", "'none' with 32 -> 64 px"),
        (32, 64, "cubic", "'cubic'; allowed: nearest"),
        (32, 0, "bilinear", "32 -> 0 px"),
    ],
)
def test_impossible_requests_are_refused(in_px: int, out_px: int, mode: str, part: str) -> None:
    with pytest.raises(UserError) as caught:
        kernel_matrix(in_px, out_px, mode)
    assert part in str(caught.value)


def test_there_is_one_preprocessing_for_each_choice() -> None:
    assert tuple(PREPROCESSING) == CHOICES["preprocessing"]


@pytest.mark.parametrize(
    ("name", "black", "white"),
    [
        ("imagenet", (-2.117904, -2.035714, -1.804444), (2.248908, 2.428571, 2.64)),
        ("caffe", (-103.939, -116.779, -123.68), (151.061, 138.221, 131.32)),
        ("unit", (0, 0, 0), (1, 1, 1)),
    ],
)
def test_black_and_white_by_hand(name, black, white) -> None:
    normalisation = PREPROCESSING[name]
    np.testing.assert_allclose(normalisation.channels_of(0), black, atol=1e-6)
    np.testing.assert_allclose(normalisation.channels_of(255), white, atol=1e-6)


def test_only_caffe_swaps_red_and_blue() -> None:
    orders = {name: normalisation.channel_order for name, normalisation in PREPROCESSING.items()}
    assert orders == {"imagenet": "RGB", "caffe": "BGR", "unit": "RGB"}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_the_record_repeats_the_arithmetic(name) -> None:
    record = json.loads(json.dumps(PREPROCESSING[name].to_dict()))
    level = 77
    by_record = [
        (level * record["scale"] - mean) / std
        for mean, std in zip(record["mean"], record["std"], strict=True)
    ]
    np.testing.assert_allclose(PREPROCESSING[name].channels_of(level), by_record)
