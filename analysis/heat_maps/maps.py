"""Class activation maps: which cells of a stage speak for a class' logit?

Grad-CAM (Selvaraju et al. 2017) weighs each channel by its mean gradient; HiResCAM (Draelos and
Carin 2020) takes gradient times activation in every cell, and so stays true to what the network
computes. RandomCAM weighs the channels at random: what it shows is where the stage is active at
all. Maps are raw and signed, one number a cell: no ReLU, no scaling to each picture's own range,
which would make every picture look equally focused, and no enlarging, which smears over borders.

The network below the stage runs without gradients and the stage's output is the leaf, so this
works with every parameter frozen, leaves no hook behind and touches no `requires_grad`.

Occlusion (Zeiler and Fergus 2014) hides a window and sees which logits fall. It asks for
predictions alone, so no layer has to be chosen; the price is one forward pass a window.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainables import backbones
from trainables.errors import UserError
from trainables.models.checkpoints import TrainedModel
from trainables.models.network import FineTuneModel, build_model
from trainables.models.resize import Resize

STAGES = backbones.STAGES[1:]  # below them, the stem
Maps = npt.NDArray[np.float32]  # (N, g, g)
Images = npt.NDArray[np.uint8]
Predict = Callable[[Images], npt.NDArray[np.float32]]  # (N, S, S, 3) -> logits (N, K)
WINDOW, STRIDE = 1 / 4, 1 / 8  # of the side: 8 px every 4 px of 32, which makes 7 x 7 windows


class Cams(NamedTuple):
    """Signed maps of the same pictures at one stage, each (N, g, g).

    The first two are linear in the logit that they explain: the map of "cat rather than dog" is
    the map of cat minus the map of dog.
    """

    grad_cam: Maps
    hires_cam: Maps
    random_cam: Maps


def cams(
    trained: TrainedModel,
    images: npt.NDArray[np.uint8],
    targets: npt.NDArray[np.int64],
    *,
    stage: str,
    seed: int,
    device: torch.device | None = None,
    batch_size: int = 64,
) -> Cams:
    """Explain one logit of each picture at the end of a stage.

    Args:
        trained: left as it is, its mode included; moved to the device, as a prediction does.
        images: uint8 (N, base_px, base_px, 3).
        targets: the class whose logit is explained, (N,).
        stage: one of `STAGES`.
        seed: of RandomCAM's weights.
        device: where to compute; None is the CPU.
        batch_size: pictures at once; it changes no map.

    Raises:
        UserError: the stage is unknown.
    """
    device = device or torch.device("cpu")
    model = trained.model.to(device)
    last = parts_up_to(model, stage)
    resize = Resize.of(trained.config, trained.base_px, device)
    generator = torch.Generator().manual_seed(seed)
    found = []
    with evaluating(model), torch.inference_mode(False):
        for start in range(0, max(len(images), 1), batch_size):  # none: maps of none
            pixels = resize(torch.tensor(images[start : start + batch_size], device=device))
            wanted = torch.tensor(targets[start : start + batch_size], device=device)
            activations, gradients = stage_gradients(model, pixels, wanted, last=last)
            channel_weights = gradients.mean(dim=(2, 3), keepdim=True)
            random_weights = 2 * torch.rand(channel_weights.shape, generator=generator) - 1
            weights = (channel_weights, gradients, random_weights.to(device))
            found.append([(w * activations).sum(dim=1).cpu().numpy() for w in weights])
    return Cams(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def stage_gradients(
    model: FineTuneModel, pixels: Tensor, targets: Tensor, *, last: int
) -> tuple[Tensor, Tensor]:
    """A stage's output (B, C, g, g), and the gradients of the target logits by it.

    In eval mode no picture sees another one, so the gradient of the batch's sum is that of each.
    """
    with torch.no_grad():
        activations = model.features(pixels, last=last)
    activations.requires_grad_(True)
    with torch.enable_grad():
        logits = model(activations, first=last)
        total = logits.gather(1, targets[:, None]).sum()
        (gradients,) = torch.autograd.grad(total, activations)
    return activations.detach(), gradients


def parts_up_to(model: FineTuneModel, stage: str) -> int:
    """How many of `backbone_parts` lie in and below a stage: the stem and every block so far."""
    if stage not in STAGES:
        raise UserError(f"stage is {stage!r}; allowed: {', '.join(STAGES)}; choose one")
    below = STAGES[: STAGES.index(stage) + 1]
    return 1 + sum(len(getattr(model.backbone, name)) for name in below)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode inside; afterwards, and after an error, every module in the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def with_random_weights(trained: TrainedModel, *, seed: int) -> TrainedModel:
    """The same architecture, never trained (Adebayo et al. 2018): its maps explain nothing."""
    config = replace(trained.config, seed=seed)
    model = build_model(config, len(trained.class_names), pretrained={})
    return replace(trained, model=model.eval(), config=config)


def window_starts(side_px: int) -> list[int]:
    """The first pixel of each window along one side."""
    window_px, stride_px = window_and_stride(side_px)
    return list(range(0, side_px - window_px + 1, stride_px))


def window_and_stride(side_px: int) -> tuple[int, int]:
    """In pixels."""
    return max(round(WINDOW * side_px), 1), max(round(STRIDE * side_px), 1)


def occlusion_drops(predict: Predict, images: Images) -> npt.NDArray[np.float32]:
    """How far every logit falls when a window is painted in its picture's mean colour.

    Returns:
        (N, g, g, K), positive where the window spoke for the class. Linear in the logits: the drop
        of a difference is the difference of the drops.
    """
    starts = window_starts(images.shape[1])
    window_px, _ = window_and_stride(images.shape[1])
    mean_colours = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
    whole = predict(images)
    drops = np.empty((len(images), len(starts), len(starts), whole.shape[1]), np.float32)
    for row, top in enumerate(starts):
        for column, left in enumerate(starts):
            hidden = images.copy()
            hidden[:, top : top + window_px, left : left + window_px] = mean_colours
            drops[:, row, column] = whole - predict(hidden)
    return drops


def of_class(
    drops: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """The maps (N, g, g) of one logit a picture."""
    return drops[np.arange(len(targets)), :, :, targets]
