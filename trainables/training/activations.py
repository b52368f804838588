"""What the frozen bottom of the network makes of pictures: the same for all trials that share it.

A frozen part is in eval mode and never trained, so what comes out of it depends on the pictures,
the pre-trained weights and how pixels get in, and on nothing else that a trial chooses.
"""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.config import FineTuneConfig
from trainables.models.network import FineTuneModel, backbone_parts
from trainables.models.resize import Resize
from trainables.models.weights import weights_id
from trainables.training.reuse import Reuse

EVALUATION_BATCH = 256  # pictures; a forward pass without gradients is fastest near here on a CPU


class Activations:
    """Of the lowest parts of one trial's backbone, shared with other trials.

    Args:
        config: of the trial.
        resize: from uint8 pictures to the network's input.
        device: of the trial.
        reuse: where they are shared.
        weights: from where the backbone's were loaded; "": as `config` says.
    """

    def __init__(
        self,
        config: FineTuneConfig,
        resize: Resize,
        device: torch.device,
        reuse: Reuse,
        weights: str = "",
    ) -> None:
        self._resize, self._device, self._reuse = resize, device, reuse
        self._is_bf16 = config.precision == "bf16"
        self._picture_bytes: dict[int, int] = {}  # of one picture's, by the part they end before
        # What the pixels and the frozen layers are made of, beside the pictures.
        self._key: dict[str, Any] = {
            "what": "activations",
            "backbone": config.backbone,
            "weights": weights_id(config.backbone, weights or config.weights),
            "seed": config.seed if config.weights == "none" else None,
            "resolution_px": config.resolution_px,
            "interpolation": config.interpolation,
            "preprocessing": config.preprocessing,
            "precision": config.precision,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        }

    def shared(
        self, model: FineTuneModel, images: Tensor, pictures: dict[str, Any], *, last: int
    ) -> Tensor:
        """Of all pictures, taken from another trial where one has computed them.

        Args:
            model: its parts before `last` are frozen.
            images: uint8 (N, S, S, 3), on the device.
            pictures: what tells these pictures from others.
            last: the part of the backbone to end before.

        Returns:
            Features (N, F), or maps (N, C, H, W) in channels_last order; as the part gave them.
        """

        def compute() -> NDArray[Any]:
            return _as_array(self.computed(model, images, last=last))

        array = self._reuse.get({**self._key, "pictures": pictures, "last": last}, compute)
        return _as_tensor(array, is_bf16=self._is_bf16).to(self._device)

    def are_shared(self, model: FineTuneModel, images: Tensor, *, last: int) -> bool:
        """Whether what the parts before `last` make of so many pictures is shared."""
        if not self._reuse.is_on or last == 0:
            return False
        if last == len(backbone_parts(model.backbone)):  # pooled features are small
            return True
        if last not in self._picture_bytes:
            self._picture_bytes[last] = self.computed(model, images[:1], last=last).nbytes
        return self._reuse.shares_trunk(len(images) * self._picture_bytes[last])

    @torch.no_grad()
    def computed(self, model: FineTuneModel, images: Tensor, *, last: int | None = None) -> Tensor:
        """Of uint8 pictures (N, S, S, 3), here and now, in eval mode."""
        model.eval()
        parts = []
        for chunk in images.split(EVALUATION_BATCH):
            with autocast(self._device, enabled=self._is_bf16):
                parts.append(model.features(self._resize(chunk), last=last))
        return torch.cat(parts)


def autocast(device: torch.device, *, enabled: bool) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _as_array(values: Tensor) -> NDArray[Any]:
    """Maps channels last, so that a picture's are in one piece; NumPy has no bf16."""
    values = values.cpu()
    if values.ndim == 4:
        values = values.permute(0, 2, 3, 1)
    values = values.contiguous()
    return (values.view(torch.int16) if values.dtype == torch.bfloat16 else values).numpy()


def _as_tensor(array: NDArray[Any], *, is_bf16: bool) -> Tensor:
    values = torch.from_numpy(array)
    if values.dtype == torch.int16 and is_bf16:
        values = values.view(torch.bfloat16)
    return values.permute(0, 3, 1, 2) if values.ndim == 4 else values
