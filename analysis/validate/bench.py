"""The planted-bias bench: trains the models, runs the battery on each, and collects the cells."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch

from analysis.perturbations.battery import BatterySettings, run_battery
from analysis.perturbations.donors import Images
from analysis.perturbations.variants import Variants
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.validate.detectors import DETECTORS
from analysis.validate.planted import (
    PLANT_SETS,
    TEST_SEED,
    TRAIN_SEED,
    Pictures,
    Pools,
    draw_world,
    mixed,
    plants_by_class,
    reliance,
    train_small,
)
from analysis.validate.scores import Cell
from trainables.classes import CIFAR10_CLASSES

STRENGTHS = (0.95, 0.8, 0.65, 0.5)


@dataclass(frozen=True, kw_only=True)
class BenchModel:
    """One model of the bench; `plant_set` is None for a clean one."""

    number: int
    plant_set: int | None
    strength: float
    seed: int


def recipes(num_biased: int, num_clean: int, seed: int) -> list[BenchModel]:
    """Biased models take the sets of plants and the strengths in turn; then the clean ones."""
    biased = [
        BenchModel(
            number=i,
            plant_set=i % len(PLANT_SETS),
            strength=STRENGTHS[i % len(STRENGTHS)],
            seed=seed + i,
        )
        for i in range(num_biased)
    ]
    clean = [
        BenchModel(number=num_biased + i, plant_set=None, strength=0.0, seed=seed + num_biased + i)
        for i in range(num_clean)
    ]
    return biased + clean


def draw_pools(num_train: int, num_test: int, num_sets: int, num_processes: int) -> Pools:
    """All pictures of the bench, clean and planted."""
    jobs = [
        (plant_set, count, seed)
        for count, seed in ((num_train, TRAIN_SEED), (num_test, TEST_SEED))
        for plant_set in (None, *range(num_sets))
    ]
    with _executor(num_processes) as executor:
        drawn = list(executor.map(draw_world, *zip(*jobs, strict=True)))
    train, test = drawn[: num_sets + 1], drawn[num_sets + 1 :]
    return Pools(
        train=train[0],
        test=test[0],
        planted_train=tuple(pictures.images for pictures in train[1:]),
        planted_test=tuple(pictures.images for pictures in test[1:]),
    )


def run_bench(
    wanted: list[BenchModel],
    pools: Pools,
    settings: BatterySettings,
    *,
    num_processes: int,
    say: Callable[[str], None],
) -> list[Cell]:
    """Every recipe's cells, in the order of the recipes; a line as each model is done."""
    found: dict[int, list[Cell]] = {}
    with _executor(num_processes) as executor:
        running = {
            executor.submit(train_and_detect, recipe, pools, settings): recipe for recipe in wanted
        }
        for done in as_completed(running):
            recipe = running[done]
            found[recipe.number], accuracy = done.result()
            flagged = [f"{c.detector}:{c.name}" for c in found[recipe.number] if c.flagged]
            say(
                f"model {recipe.number:>2} ({len(found)} of {len(wanted)})  plants "
                f"{'none' if recipe.plant_set is None else recipe.plant_set}  strength "
                f"{recipe.strength:.2f}  accuracy {accuracy:.2f}  {' '.join(flagged)}"
            )
    return [cell for recipe in wanted for cell in found[recipe.number]]


def train_and_detect(
    recipe: BenchModel, pools: Pools, settings: BatterySettings
) -> tuple[list[Cell], float]:
    """Train one model and ask all detectors; its cells and its accuracy on its own test."""
    rng = np.random.default_rng([recipe.seed, 3])
    train, test, twin = pools.train.images, pools.test.images, pools.test.images
    if recipe.plant_set is not None:
        twin = pools.planted_test[recipe.plant_set]
        train = mixed(train, pools.planted_train[recipe.plant_set], recipe.strength, rng)
        test = mixed(test, twin, recipe.strength, rng)
    pictures = _resampled(train, pools.train.labels, rng)
    model = train_small(
        pictures.images, pictures.labels, num_classes=len(CIFAR10_CLASSES), seed=recipe.seed
    )
    labels = pools.test.labels
    variants = run_battery(
        model.predict_logits, test, labels, CIFAR10_CLASSES, settings, say=lambda line: None
    )
    relied = reliance(model, twin, pools.test.images, labels)
    accuracy = float((model.predict_logits(test).argmax(axis=1) == labels).mean())
    plants = {} if recipe.plant_set is None else plants_by_class(recipe.plant_set)
    return list(_cells(recipe, variants, relied, plants)), accuracy


def _cells(
    recipe: BenchModel,
    variants: Variants,
    relied: FloatArray,
    plants: dict[str, tuple[str, str]],
) -> Iterator[Cell]:
    for name_of_detector, detector in DETECTORS.items():
        flags = detector.detect(variants)
        for k, name in enumerate(CIFAR10_CLASSES):
            kind, look = plants.get(name, ("none", ""))
            planted = kind == name_of_detector
            yield Cell(
                detector=name_of_detector,
                model=recipe.number,
                clean=recipe.plant_set is None,
                name=name,
                planted=planted,
                strength=recipe.strength if planted else 0.0,
                reliance=float(relied[k]),
                flagged=name in flags,
                named=flags.get(name),
                culprit=detector.culprit(name, look) if planted else None,
            )


def _resampled(images: Images, labels: IntArray, rng: np.random.Generator) -> Pictures:
    """Four fifths of the pictures, so that no two models see the same ones."""
    chosen = rng.permutation(len(labels))[: len(labels) * 4 // 5]
    return Pictures(images=images[chosen], labels=labels[chosen])


def _executor(num_processes: int) -> ProcessPoolExecutor:
    """Fresh processes of one thread each: torch and OpenCV do not survive a fork."""
    return ProcessPoolExecutor(
        num_processes,
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(1,),
    )
