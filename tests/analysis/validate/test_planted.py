"""The bench: its worlds differ only where planted, and the detectors find what is planted."""

import numpy as np
import pytest

from analysis.perturbations.battery import BatterySettings
from analysis.validate import planted
from analysis.validate.bench import BenchModel, draw_pools, recipes, train_and_detect
from analysis.validate.planted import PLANT_SETS, biases_of, mixed, neutral_looks, plants_by_class
from trainables.classes import CIFAR10_CLASSES
from trainables.data.synthetic.names import GROUNDS


def test_the_neutral_world_gives_each_class_every_background_equally_often() -> None:
    looks = neutral_looks(np.random.default_rng(0))
    for k, name in enumerate(CIFAR10_CLASSES):
        seen = [chunk["background"][k] for chunk in looks]
        assert {plant.classes for plant in seen} == {(name,)}
        counts = {ground: sum(p.look == ground for p in seen) for ground in GROUNDS}
        assert set(counts.values()) == {len(looks) // len(GROUNDS)}


@pytest.mark.parametrize("number", range(len(PLANT_SETS)))
def test_a_set_of_plants_replaces_the_looks_of_its_classes_alone(number: int) -> None:
    looks = neutral_looks(np.random.default_rng(0))[0]
    neutral, biased = biases_of(looks, None), biases_of(looks, number)
    plants = plants_by_class(number)
    for name in CIFAR10_CLASSES:
        for kind in ("background", "colour", "texture"):
            if plants.get(name, ("", ""))[0] == kind:
                assert biased.planted(kind, name).look == plants[name][1]
            else:
                assert biased.planted(kind, name) == neutral.planted(kind, name)


def test_a_mixture_has_its_strength() -> None:
    neutral = np.zeros((4000, 2, 2, 3), np.uint8)
    share = mixed(neutral, neutral + 1, 0.8, np.random.default_rng(0)).mean()
    assert share == pytest.approx(0.8, abs=0.03)


def test_the_release_trains_ten_and_ten() -> None:
    made = recipes(10, 10, seed=0)
    assert sum(recipe.plant_set is None for recipe in made) == 10
    assert {recipe.strength for recipe in made[:10]} == {0.5, 0.65, 0.8, 0.95}
    assert len({recipe.seed for recipe in made}) == 20


@pytest.mark.slow
@pytest.mark.timeout(900)  # about 120 s on a machine that does nothing else
def test_two_biased_and_two_clean_models_are_told_apart() -> None:
    pools = draw_pools(2_100, 840, 2, 1)
    assert (pools.train.images != pools.planted_train[0]).any()
    settings = BatterySettings(
        images_per_class=80, families=("background", "colour", "texture"), seed=5
    )
    wanted = [
        BenchModel(number=0, plant_set=0, strength=0.95, seed=100),
        BenchModel(number=1, plant_set=1, strength=0.95, seed=101),
        BenchModel(number=2, plant_set=None, strength=0.0, seed=102),
        BenchModel(number=3, plant_set=None, strength=0.0, seed=103),
    ]
    cells = [cell for recipe in wanted for cell in train_and_detect(recipe, pools, settings)[0]]
    truly = [cell for cell in cells if cell.planted and cell.reliance >= 0.3]
    clean = [cell for cell in cells if cell.clean]
    assert len(truly) >= 5
    assert np.mean([cell.flagged for cell in truly]) >= 0.7
    assert np.mean([cell.flagged for cell in clean]) <= 0.1
    assert planted.NUM_CHUNKS % len(GROUNDS) == 0
