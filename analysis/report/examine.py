"""Everything that a report asks of the model. The statistics then run without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from analysis.heat_maps.evidence import HeatMaps, choose_errors, indices_of
from analysis.heat_maps.explain import SHOWN_STAGES, explain_cams, explain_occlusion, with_road
from analysis.heat_maps.maps import cams
from analysis.heat_maps.section import Explained
from analysis.perturbations.battery import BatterySettings, run_battery
from analysis.perturbations.changes import swap_background
from analysis.perturbations.donors import Images, donors_of
from analysis.perturbations.variants import Variants
from analysis.run.predict import FreshAnswers
from analysis.statistics.metrics import IntArray
from analysis.statistics.picture_choice import PairErrors, as_many_of_each_class
from trainables.data.images import ImageSet
from trainables.models.checkpoints import TrainedModel

NUM_EXPLAINED, NUM_OCCLUDED = 100, 20  # pictures with heat maps; an occlusion is 100 passes each
NUM_TRAINING_PICTURES = 2_000  # for the gap between training and validation
HEAT_STAGE = "layer2"  # the coarsest that is still 8 x 8 cells at 64 px
OWN, OTHER = "background of its own class", "background of the class it is taken for"


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """What the model answered.

    Attributes:
        test: the sealed test's pictures, N of them.
        logits: of the test, float32 (N, K).
        variants: answers to changed pictures.
        explained: heat maps with their controls, one a method and place.
        train_right: whether training pictures are right in evaluation mode, unaugmented, bool.
        val_right: likewise for all validation pictures.
        fresh: what models of other seeds say of the test.
        val_labels: of the validation pictures, (V,).
        val_predictions: the winner's predicted classes after each epoch, (E, V).
        errors: of flagged pairs, chosen to be shown.
        heat: maps of those errors.
        swapped: the errors' pictures (M, S, S, 3) with another background, by the swap's name.
        swapped_logits: of these, (M, K).
    """

    test: ImageSet
    logits: npt.NDArray[np.float32]
    variants: Variants
    explained: list[Explained]
    train_right: npt.NDArray[np.bool_]
    val_right: npt.NDArray[np.bool_]
    fresh: FreshAnswers
    val_labels: IntArray
    val_predictions: npt.NDArray[np.integer]
    errors: list[PairErrors]
    heat: HeatMaps
    swapped: dict[str, Images]
    swapped_logits: dict[str, npt.NDArray[np.float32]]


def examine(
    trained: TrainedModel,
    test: ImageSet,
    logits: npt.NDArray[np.float32],
    train: ImageSet,
    val: ImageSet,
    *,
    fresh: FreshAnswers,
    val_logits: npt.NDArray[np.float32],
    val_predictions: npt.NDArray[np.integer],
    flagged: Sequence[tuple[int, int]],
    battery: BatterySettings,
    device: str,
    batch_size: int,
) -> Examined:
    """Run the battery, the heat maps and the comparisons; progress goes to standard output.

    Args:
        trained: the model.
        test: the sealed test.
        logits: of the test.
        train: training pictures; a fixed sample is predicted.
        val: validation pictures.
        fresh: what models of other seeds say of the test.
        val_logits: of all validation pictures.
        val_predictions: of the winner's checkpoint.
        flagged: pairs of classes (first, second) whose errors are shown, in both directions.
        battery: what to change in how many pictures.
        device: "cpu" or "cuda".
        batch_size: pictures a forward pass.
    """
    seed, where = battery.seed, torch.device(device)
    predict = partial(trained.predict_logits, device=where, batch_size=batch_size)
    variants = run_battery(predict, test.images, test.labels, test.class_names, battery)
    errors = choose_errors(
        test.labels, logits, [(a, b) for one, two in flagged for a, b in ((one, two), (two, one))],
        seed=seed,
    )  # fmt: skip
    shown = indices_of(errors)
    swapped = swapped_backgrounds(test, shown, logits[shown].argmax(axis=1), seed=seed)
    print(f"heat maps    of {NUM_EXPLAINED} pictures and of {len(shown)} errors", flush=True)
    return Examined(
        test=test,
        logits=logits,
        variants=variants,
        explained=explain(trained, test, logits, seed=seed, device=where),
        train_right=_right(predict, train, NUM_TRAINING_PICTURES, seed),
        val_right=val_logits.argmax(axis=1) == val.labels,
        fresh=fresh,
        val_labels=val.labels,
        val_predictions=val_predictions,
        errors=errors,
        heat=heat_maps(trained, test, shown, logits, seed=seed, device=where),
        swapped=swapped,
        swapped_logits={name: predict(images) for name, images in swapped.items()},
    )


def explain(
    trained: TrainedModel,
    test: ImageSet,
    logits: npt.NDArray[np.float32],
    *,
    seed: int,
    device: torch.device,
) -> list[Explained]:
    """Every kind of heat map of some pictures, each class alike, with the checks of the maps."""

    def some(count: int) -> tuple[Images, IntArray]:
        chosen = as_many_of_each_class(test.labels, count, seed=seed)
        return test.images[chosen], logits[chosen].argmax(axis=1)

    images, predictions = some(NUM_EXPLAINED)
    few, few_predictions = some(NUM_OCCLUDED)
    maps = [
        (found, images)
        for found in explain_cams(
            trained, images, predictions, seed=seed, stages=SHOWN_STAGES, device=device
        )
    ]
    maps.append((explain_occlusion(trained, few, few_predictions, seed=seed, device=device), few))
    return [
        with_road(found, trained, its_images, seed=seed, device=device)
        if found.place in (HEAT_STAGE, "input")  # those that are fine enough to be judged
        else found
        for found, its_images in maps
    ]


def heat_maps(
    trained: TrainedModel,
    test: ImageSet,
    shown: IntArray,
    logits: npt.NDArray[np.float32],
    *,
    seed: int,
    device: torch.device,
) -> HeatMaps:
    """HiResCAM of the predicted and of the true class' logit, of the pictures at `shown`."""
    images = test.images[shown]
    predicted, true = (
        cams(trained, images, targets, stage=HEAT_STAGE, seed=seed, device=device).hires_cam
        for targets in (logits[shown].argmax(axis=1), test.labels[shown])
    )
    return HeatMaps(
        method="HiResCAM", place=HEAT_STAGE, indices=shown, predicted=predicted, true=true
    )


def swapped_backgrounds(
    test: ImageSet, shown: IntArray, predictions: IntArray, *, seed: int
) -> dict[str, Images]:
    """The pictures at `shown` on a background of their own class, and of the one predicted."""
    rng = np.random.default_rng(seed)
    labels = test.labels[shown]
    return {
        name: swap_background(
            test.images[shown], test.images[donors_of(wanted, test.labels, rng)], "ellipse"
        )
        for name, wanted in ((OWN, labels), (OTHER, predictions))
    }


def _right(
    predict: Callable[[Images], npt.NDArray[np.float32]], images: ImageSet, count: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Whether some of the pictures are right, each class alike."""
    chosen = as_many_of_each_class(images.labels, count, seed=seed)
    right: npt.NDArray[np.bool_] = (
        predict(images.images[chosen]).argmax(axis=1) == images.labels[chosen]
    )
    return right
