"""Training a backbone from random weights: progressive resizing under one learning-rate cycle.

Random resized crops and mirror images of a batch are two batched matrix products. A crop that is
resized is a linear map of each axis, so every picture gets its own pair of small matrices
(bilinear, widened when shrinking, like `resize.kernel_matrix`); no picture meets Python.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.models.resize import PREPROCESSING, Resize
from trainables.pretrain.recipe import Recipe

EVALUATION_BATCH = 256  # pictures
AREA = (0.25, 1.0)  # of the picture that a crop keeps; inclusive bounds, drawn uniformly
ASPECT_RATIO = (3 / 4, 4 / 3)  # width to height, drawn log-uniformly (Szegedy et al. 2015)


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """One epoch: its training loss (nats) and the top-1 accuracy on the validation pictures."""

    epoch: int
    resolution_px: int
    loss: float
    val_top1: float
    images_per_second: float


def train_from_scratch(
    model: nn.Module, train: ImageSet, val: ImageSet, recipe: Recipe, device: torch.device
) -> Iterator[EpochResult]:
    """Train the model in place; yields after every epoch.

    Raises:
        UserError: fewer pictures than a batch, or a loss that is not a number.
    """
    steps_per_epoch = len(train) // recipe.batch_size
    if not steps_per_epoch:
        raise UserError(
            f"batch_size is {recipe.batch_size} with {len(train)} training pictures; allowed: up "
            "to their number; lower it"
        )
    images, labels = _on_device(train, device)
    model.to(device).to(memory_format=torch.channels_last)
    optimizer = _optimizer(model, recipe)
    schedule = OneCycleLR(optimizer, recipe.max_lr, total_steps=recipe.epochs * steps_per_epoch + 1)
    generator = torch.Generator().manual_seed(recipe.seed)

    for epoch in range(1, recipe.epochs + 1):
        started = time.perf_counter()
        resolution_px = recipe.resolution_px(epoch)
        order = torch.randperm(len(train), generator=generator).to(device)
        loss_sum = torch.zeros((), device=device)
        model.train()
        for batch in order[: steps_per_epoch * recipe.batch_size].split(recipe.batch_size):
            pixels = random_crops(images[batch], resolution_px, generator)
            with _autocast(device):
                logits = model(pixels)
            loss = F.cross_entropy(
                logits.float(), labels[batch], label_smoothing=recipe.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.detach()
        mean_loss = loss_sum.item() / steps_per_epoch
        seconds = time.perf_counter() - started
        if not math.isfinite(mean_loss):
            raise UserError(f"the loss is {mean_loss} in epoch {epoch}; lower the maximum rate")
        yield EpochResult(
            epoch=epoch,
            resolution_px=resolution_px,
            loss=mean_loss,
            val_top1=top1(model, val, resolution_px, device),
            images_per_second=steps_per_epoch * recipe.batch_size / seconds,
        )


@torch.inference_mode()
def top1(model: nn.Module, pictures: ImageSet, resolution_px: int, device: torch.device) -> float:
    """Share of the pictures whose highest logit is right, in eval mode."""
    model.eval()
    resize = Resize(pictures.side_px, resolution_px, "bilinear", device)
    images, labels = _on_device(pictures, device)
    num_right = torch.zeros((), dtype=torch.int64, device=device)
    for chunk, truth in zip(
        images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True
    ):
        with _autocast(device):
            logits = model(resize(chunk))
        num_right += (logits.argmax(dim=1) == truth).sum()
    return num_right.item() / len(pictures)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    kernels = [p for p in model.parameters() if p.ndim == 4]  # convolutions
    others = [p for p in model.parameters() if p.ndim != 4]
    groups = [
        {"params": kernels, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=recipe.max_lr, momentum=0.9, nesterov=True, fused=True)


def _on_device(pictures: ImageSet, device: torch.device) -> tuple[Tensor, Tensor]:
    return (
        torch.tensor(pictures.images, device=device),
        torch.tensor(pictures.labels, device=device),
    )


def _autocast(device: torch.device) -> torch.autocast:
    """bf16 where the hardware multiplies it: elsewhere it is emulated, slower than float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=_multiplies_bf16(device))


@cache
def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(capabilities.get(name) for name in ("avx512_bf16", "bf16"))  # x86, ARM


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
