"""Interpolation as two matrix products on the device, with Pillow's kernels and conventions.

Resizing is linear and separable: out = V @ image @ H^T with one small matrix an axis. All kernels
cost the same, run the same on CPU and GPU, and take the normalisation along for nothing.

`PREPROCESSING` says how grey levels become the network's input: ImageNet, Caffe or unit.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.config import FineTuneConfig
from trainables.errors import UserError

MODES = ("nearest", "bilinear", "bicubic", "lanczos", "none")
_SUPPORT_PX = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}
_BICUBIC_A = -0.5  # Pillow's and Keys' (1981); OpenCV and torch without antialias take -0.75
Triple = tuple[float, float, float]


def kernel_matrix(in_px: int, out_px: int, mode: str) -> NDArray[np.float32]:
    """The matrix (out_px, in_px) that resizes one axis as `PIL.Image.resize` does.

    Pixel centres are aligned; when shrinking the kernel widens with the scale (antialiasing); at
    the borders the weights that are left are renormalised, so every row sums to one.

    Raises:
        UserError: the mode is unknown, a size is below 1, or "none" with two different sizes.
    """
    _check(in_px, out_px, mode)
    if mode == "none":
        return np.eye(in_px, dtype=np.float32)
    scale = in_px / out_px
    if mode == "nearest":
        # Summed step by step like Pillow: for a centre between two pixels, rounding decides.
        centres = np.cumsum([scale / 2] + [scale] * (out_px - 1))
        return np.eye(in_px, dtype=np.float32)[centres.astype(np.int64)]
    centres = (np.arange(out_px) + 0.5) * scale
    widening = max(scale, 1.0)
    distances = (np.arange(in_px) + 0.5 - centres[:, None]) / widening
    weights = np.where(np.abs(distances) < _SUPPORT_PX[mode], _kernel(distances, mode), 0.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _kernel(x: NDArray[np.float64], mode: str) -> NDArray[np.float64]:
    """The continuous kernel at distance `x` in input pixels, within its support."""
    t = np.abs(x)
    if mode == "bilinear":
        return 1 - t
    if mode == "bicubic":
        a = _BICUBIC_A
        near = ((a + 2) * t - (a + 3)) * t**2 + 1
        far = (((t - 5) * t + 8) * t - 4) * a
        return np.where(t < 1, near, far)
    return np.sinc(x) * np.sinc(x / 3)


def _check(in_px: int, out_px: int, mode: str) -> None:
    if mode not in MODES:
        raise UserError(f"interpolation is {mode!r}; allowed: {', '.join(MODES)}; choose one")
    if min(in_px, out_px) < 1:
        raise UserError(f"sizes are {in_px} -> {out_px} px; allowed: 1 px or more; correct them")
    if mode == "none" and in_px != out_px:
        raise UserError(
            f"interpolation is 'none' with {in_px} -> {out_px} px; allowed: equal sizes; set the "
            f"resolution to {in_px} px or choose a kernel"
        )


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """(grey level * scale - mean) / std for each channel of the output.

    Attributes:
        channel_order: of the output; the input is RGB.
        scale: of the grey levels 0..255, before the mean is taken off.
        mean, std: one a channel, in the output's order and in scaled grey levels.
    """

    channel_order: Literal["RGB", "BGR"]
    scale: float
    mean: Triple
    std: Triple

    def channels_of(self, level: float) -> NDArray[np.float64]:
        """What one grey level becomes in each channel of the output: float64 (3,)."""
        return (level * self.scale - np.array(self.mean)) / np.array(self.std)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able record, complete enough to be repeated without this code."""
        return {
            "channel_order": self.channel_order,
            "scale": self.scale,
            "mean": list(self.mean),
            "std": list(self.std),
        }


# imagenet  torchvision's: what all its weights were trained with
# caffe     Keras' `preprocess_input` in mode "caffe": BGR, ImageNet's mean off, nothing scaled
# unit      0..1 and no more
PREPROCESSING: dict[str, Normalisation] = {
    "imagenet": Normalisation(
        channel_order="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ),
    "caffe": Normalisation(
        channel_order="BGR", scale=1.0, mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0)
    ),
    "unit": Normalisation(
        channel_order="RGB", scale=1 / 255, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    ),
}


class Resize:
    """Resize and normalise batches of square images on the device.

    Args:
        in_px: side of the images that come in.
        out_px: side of the images that go out.
        mode: one of `MODES`; "none" needs `out_px` equal to `in_px`.
        device: where the batches are.
        dtype: of the result; the arithmetic is float32 throughout, under autocast too.
        normalisation: of the grey levels, and the order of the channels that go out.
    """

    def __init__(
        self,
        in_px: int,
        out_px: int,
        mode: str,
        device: torch.device | str = "cpu",
        *,
        dtype: torch.dtype = torch.float32,
        normalisation: Normalisation = PREPROCESSING["imagenet"],
    ) -> None:
        matrix = kernel_matrix(in_px, out_px, mode)
        self.in_px, self.out_px, self.dtype = in_px, out_px, dtype

        def a_row(per_channel: NDArray[np.float64]) -> Tensor:  # R, G, B, R, ... or B, G, R, B, ...
            return torch.tensor(np.tile(per_channel, out_px), dtype=torch.float32, device=device)

        # Rows of the matrices sum to one, so normalising commutes with resizing: the scale goes
        # into the horizontal matrix, the shift is the bias, and 0..255 becomes black..white.
        black, white = normalisation.channels_of(0), normalisation.channels_of(255)
        self._gain = a_row((white - black) / 255)
        self._black, self._white = a_row(black), a_row(white)
        self._is_bgr = normalisation.channel_order == "BGR"
        interleaved = np.kron(matrix.T, np.eye(3))  # (in_px * 3, out_px * 3), channels last
        self._horizontal = (
            torch.tensor(interleaved, dtype=torch.float32, device=device) * self._gain
        )
        self._vertical = torch.tensor(matrix, device=device)
        self._is_identity = in_px == out_px  # every kernel is one at 0 and zero at whole pixels

    @classmethod
    def of(
        cls, config: FineTuneConfig, side_px: int, device: torch.device | str = "cpu"
    ) -> "Resize":
        """From pictures of `side_px` to what the network of a configuration expects."""
        return cls(
            side_px,
            config.resolution_px,
            config.interpolation,
            device,
            normalisation=PREPROCESSING[config.preprocessing],
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Resize a batch.

        Args:
            images: uint8 (B, in_px, in_px, 3), RGB, on the device.

        Returns:
            (B, 3, out_px, out_px) of `dtype`, normalised, channels_last in memory.
        """
        batch = images.shape[0]  # and not len(), which torch.export takes for a constant
        assert images.dtype == torch.uint8
        assert images.shape == (batch, self.in_px, self.in_px, 3), images.shape
        if self._is_bgr:
            images = images.flip(3)
        lines = images.reshape(batch * self.in_px, self.in_px * 3).float()
        with torch.autocast(images.device.type, enabled=False):
            if self._is_identity:
                pixels = torch.addcmul(self._black, lines, self._gain)
            else:
                # Pillow works in 8 bits and so clamps the overshoot of either pass.
                wide = torch.addmm(self._black, lines, self._horizontal)
                wide.clamp_(self._black, self._white)
                pixels = torch.bmm(
                    self._vertical.expand(batch, -1, -1),
                    wide.view(batch, self.in_px, self.out_px * 3),
                ).clamp_(self._black, self._white)
        nhwc = pixels.view(batch, self.out_px, self.out_px, 3)
        return nhwc.permute(0, 3, 1, 2).to(self.dtype)
