"""Random resized crops and mirror images of a whole batch, as two batched matrix products.

A crop that is resized is a linear map of each axis, so every picture gets its own pair of small
matrices (bilinear, widened when shrinking, like `resize.kernel_matrix`); no picture meets Python.
"""

import math

import torch
from torch import Tensor

from trainables.models.resize import PREPROCESSING

AREA = (0.25, 1.0)  # of the picture that a crop keeps; inclusive bounds, drawn uniformly
ASPECT_RATIO = (3 / 4, 4 / 3)  # width to height, drawn log-uniformly (Szegedy et al. 2015)


def random_crops(images: Tensor, out_px: int, generator: torch.Generator) -> Tensor:
    """Crop, resize, mirror half of the time, and normalise.

    Args:
        images: uint8 (B, S, S, 3), RGB.
        out_px: side R of the result.
        generator: on the CPU; the same state gives the same crops on every device.

    Returns:
        float32 (B, 3, R, R) with ImageNet's mean and standard deviation, channels_last in memory.
    """
    batch, side_px = images.shape[:2]
    area, log_ratio, left, top, mirror = torch.rand(5, batch, generator=generator)
    area = AREA[0] + (AREA[1] - AREA[0]) * area
    ratio = torch.exp(math.log(ASPECT_RATIO[1]) * (2 * log_ratio - 1))
    width = (area * ratio).sqrt().clamp(max=1.0) * side_px
    height = (area / ratio).sqrt().clamp(max=1.0) * side_px

    horizontal = crop_matrices(left * (side_px - width), width, side_px, out_px)
    horizontal = torch.where(mirror[:, None, None] < 0.5, horizontal.flip(1), horizontal)
    vertical = crop_matrices(top * (side_px - height), height, side_px, out_px)

    device = images.device
    lines = images.reshape(batch, side_px, side_px * 3).float()
    tall = torch.bmm(vertical.to(device), lines).view(batch, out_px, side_px, 3)
    columns = tall.transpose(1, 2).reshape(batch, side_px, out_px * 3)
    pixels = torch.bmm(horizontal.to(device), columns).view(batch, out_px, out_px, 3)

    imagenet = PREPROCESSING["imagenet"]
    mean, std = torch.tensor([imagenet.mean, imagenet.std], device=device) * 255  # grey levels
    nchw = pixels.permute(0, 3, 2, 1).contiguous(memory_format=torch.channels_last)
    return nchw.sub_(mean.view(3, 1, 1)).div_(std.view(3, 1, 1))


def crop_matrices(start: Tensor, length: Tensor, in_px: int, out_px: int) -> Tensor:
    """One matrix a crop, float32 (B, out_px, in_px): a bilinear resize of part of an axis.

    Args:
        start, length: (B,), in px; they need not be whole numbers.
    """
    scale = length[:, None] / out_px
    centres = start[:, None] + (torch.arange(out_px) + 0.5) * scale
    distances = torch.arange(in_px) + 0.5 - centres[:, :, None]
    weights = (1 - distances.abs() / scale.clamp(min=1.0)[:, :, None]).clamp(min=0.0)
    return weights / weights.sum(dim=2, keepdim=True)
