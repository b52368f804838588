"""All heat maps that a report checks, of the same pictures, with those of a random network."""

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from analysis.heat_maps.checks import road_scores
from analysis.heat_maps.maps import (
    Maps,
    cams,
    occlusion_drops,
    of_class,
    window_and_stride,
    window_starts,
    with_random_weights,
)
from analysis.heat_maps.section import Explained
from analysis.statistics.picture_choice import random_pictures
from trainables.models.checkpoints import TrainedModel

MOST_ROAD_PICTURES = 200
SHOWN_STAGES = ("layer2", "layer3", "layer4")


def explain_cams(
    trained: TrainedModel,
    images: npt.NDArray[np.uint8],
    predictions: npt.NDArray[np.int64],
    *,
    seed: int,
    stages: tuple[str, ...] = SHOWN_STAGES,
    device: torch.device | None = None,
) -> list[Explained]:
    """HiResCAM at every stage, then Grad-CAM at every stage, each of the predicted logit.

    Args:
        trained: the model.
        images: uint8 (N, base_px, base_px, 3).
        predictions: of that model, (N,).
        seed: of the random network and of RandomCAM.
        stages: where to explain.
        device: where to compute; None is the CPU.
    """
    networks = (trained, with_random_weights(trained, seed=seed))
    by_stage = {
        stage: [
            cams(network, images, predictions, stage=stage, seed=seed, device=device)
            for network in networks
        ]
        for stage in stages
    }
    return [
        _of_stage(
            method,
            stage,
            predictions,
            getattr(of_model, field),
            getattr(of_random, field),
            of_model.random_cam,
        )
        for method, field in (("HiResCAM", "hires_cam"), ("Grad-CAM", "grad_cam"))
        for stage, (of_model, of_random) in by_stage.items()
    ]


def explain_occlusion(
    trained: TrainedModel,
    images: npt.NDArray[np.uint8],
    predictions: npt.NDArray[np.int64],
    *,
    seed: int,
    device: torch.device | None = None,
) -> Explained:
    """Occlusion of the input, likewise; 100 forward passes a picture, so of few pictures."""
    side_px = trained.base_px
    of_model, of_random = (
        of_class(
            occlusion_drops(partial(network.predict_logits, device=device), images), predictions
        )
        for network in (trained, with_random_weights(trained, seed=seed))
    )
    return Explained(
        method="occlusion",
        place="input",
        predictions=predictions,
        maps=of_model,
        of_random_weights=of_random,
        of_random_channels=None,
        starts=np.array(window_starts(side_px)) / side_px,
        width=window_and_stride(side_px)[0] / side_px,
    )


def with_road(
    explained: Explained,
    trained: TrainedModel,
    images: npt.NDArray[np.uint8],
    *,
    seed: int,
    device: torch.device | None = None,
) -> Explained:
    """Add the ROAD check on some of the pictures: 16 forward passes and sparse systems each.

    The control is RandomCAM, or the map of random weights where there are no channels.

    Args:
        explained: maps of these pictures.
        trained: the model that they are of.
        images: uint8 (N, base_px, base_px, 3); `MOST_ROAD_PICTURES` of them are tried.
        seed: of their draw and of the noise.
        device: where to compute; None is the CPU.
    """
    control = explained.of_random_channels
    if control is None:
        control = explained.of_random_weights
    tried = random_pictures(len(images), MOST_ROAD_PICTURES, seed=seed)
    of_model, of_control = (
        road_scores(
            partial(trained.predict_logits, device=device),
            images[tried],
            maps[tried],
            explained.predictions[tried],
            seed=seed,
        )
        for maps in (explained.maps, control)
    )
    return replace(explained, road_gains=of_model - of_control)


def _of_stage(
    method: str,
    stage: str,
    predictions: npt.NDArray[np.int64],
    maps: Maps,
    of_random_weights: Maps,
    of_random_channels: Maps,
) -> Explained:
    grid = maps.shape[1]
    return Explained(
        method=method,
        place=stage,
        predictions=predictions,
        maps=maps,
        of_random_weights=of_random_weights,
        of_random_channels=of_random_channels,
        starts=np.arange(grid) / grid,
        width=1 / grid,
    )
