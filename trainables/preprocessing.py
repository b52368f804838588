"""How grey levels become the network's input: ImageNet, Caffe or unit preprocessing."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]


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
