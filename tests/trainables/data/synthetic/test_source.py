import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from trainables.classes import CIFAR10_CLASSES
from trainables.data.synthetic import source
from trainables.data.synthetic.biases import Biases, Plant
from trainables.data.synthetic.grounds import ground
from trainables.data.synthetic.habits import palette
from trainables.data.synthetic.names import BODY_PLANS, GROUNDS, TEXTURES
from trainables.data.synthetic.source import SyntheticSet, draw
from trainables.errors import UserError

COUNT, SEED = 100, 3


def planted(kind: str, *classes: str, look: str = "", strength: float = 1.0) -> Biases:
    return Biases(**{kind: (Plant(classes=classes, look=look, strength=strength),)})


EVERY_KIND = {
    "background": planted("background", "truck", look="grass"),
    "colour": planted("colour", "automobile", look="purple"),
    "texture": planted("texture", "cat", "ship", look="stripes"),
    "corner": planted("corner", "frog", look="top_right"),
    "ambiguous": planted("ambiguous", "cat", "dog"),
    "label_noise": planted("label_noise", "deer", "horse"),
}


@pytest.fixture(scope="module")
def plain() -> SyntheticSet:
    return draw(COUNT, seed=SEED)


def of(drawn: SyntheticSet, *names: str) -> np.ndarray:
    return np.isin(drawn.labels, [CIFAR10_CLASSES.index(name) for name in names])


def changed(first: SyntheticSet, second: SyntheticSet) -> np.ndarray:
    return (first.images != second.images).any(axis=(1, 2, 3))


def test_names_and_biases_import_no_drawing_library() -> None:
    code = (
        "import sys, trainables.data.synthetic.biases;"
        "print(*{'cv2', 'torch', 'numpy'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""


def test_shapes_types_and_balance(plain: SyntheticSet) -> None:
    assert plain.images.shape == (COUNT, 32, 32, 3)
    assert plain.images.dtype == np.uint8
    assert plain.masks.shape == (COUNT, 32, 32)
    assert plain.masks.dtype == np.bool_
    assert plain.labels.dtype == np.int64
    assert np.bincount(plain.labels).tolist() == [COUNT // 10] * 10


def test_images_use_the_range_of_brightness(plain: SyntheticSet) -> None:
    low, high = np.percentile(plain.images, [2, 98])
    assert low < 60
    assert high > 210
    spread = plain.images.reshape(COUNT, -1).std(axis=1)
    assert spread.min() > 5.0


def test_a_seed_gives_the_same_pictures_and_a_prefix_is_a_prefix(plain: SyntheticSet) -> None:
    first = draw(37, seed=SEED)
    np.testing.assert_array_equal(first.images, plain.images[:37])
    np.testing.assert_array_equal(first.labels, plain.labels[:37])
    np.testing.assert_array_equal(first.masks, plain.masks[:37])


def test_seeds_give_different_pictures(plain: SyntheticSet) -> None:
    other = draw(20, seed=SEED + 1)
    assert (other.images != plain.images[:20]).any(axis=(1, 2, 3)).all()
    assert (other.labels != plain.labels[:20]).any()


def test_global_state_neither_matters_nor_changes(plain: SyntheticSet) -> None:
    threads = cv2.getNumThreads()
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    np.testing.assert_array_equal(draw(5, seed=SEED).images, plain.images[:5])
    assert np.random.random() == expected
    assert cv2.getNumThreads() == threads


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (5, -1)])
def test_counts_and_seeds_out_of_range_are_refused(count: int, seed: int) -> None:
    with pytest.raises(UserError, match="allowed: a whole number from"):
        draw(count, seed=seed)


def test_masks_cover_a_sane_share_of_the_picture(plain: SyntheticSet) -> None:
    share = plain.masks.mean(axis=(1, 2))
    assert share.min() > 0.02
    assert share.max() < 0.8
    per_class = [share[of(plain, name)].mean() for name in CIFAR10_CLASSES]
    assert min(per_class) > 0.08
    assert max(per_class) < 0.5


def test_masks_are_where_the_object_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one object two backdrops show through everywhere but on the mask."""
    monkeypatch.setattr(source.camera, "photograph", lambda scene, rng: scene)
    monkeypatch.setattr(source.camera, "shadow", lambda cover, *_: np.ones_like(cover))
    pictures = []
    for level in (0.0, 1.0):
        backdrop = np.full((32, 32, 3), level, np.float32)
        monkeypatch.setattr(source, "ground", lambda kind, rng, picture=backdrop: picture)
        pictures.append([source._draw_one(SEED, i, i % 10, Biases())[:2] for i in range(60)])
    for (on_black, mask), (on_white, same_mask) in zip(*pictures, strict=True):
        shows_through = (on_white - on_black).mean(axis=2)
        clear = np.abs(shows_through - 0.5) > 1e-4
        np.testing.assert_array_equal(mask[clear], shows_through[clear] < 0.5)
        np.testing.assert_array_equal(mask, same_mask)
        assert on_black[mask].min() >= 0.0
        assert on_black[shows_through > 0.999].max(initial=0.0) < 0.01


def test_object_pixels_differ_from_the_same_scene_without_object(
    monkeypatch: pytest.MonkeyPatch, plain: SyntheticSet
) -> None:
    nothing = (np.zeros((32, 32, 3), np.float32), np.zeros((32, 32, 1), np.float32))
    monkeypatch.setattr(source, "fill", lambda *_: nothing)
    empty = draw(COUNT, seed=SEED)
    assert not empty.masks.any()
    difference = np.abs(plain.images.astype(int) - empty.images).max(axis=3)
    inside = np.array([d[m].mean() for d, m in zip(difference, plain.masks, strict=True)])
    outside = np.array([d[~m].mean() for d, m in zip(difference, plain.masks, strict=True)])
    assert np.median(inside) > 50
    assert np.median(outside) < 10
    assert (inside > 2 * outside).mean() > 0.97


@pytest.mark.parametrize("kind", GROUNDS)
def test_grounds_are_pictures_in_range_and_vary(kind: str) -> None:
    first, second = (ground(kind, np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == (32, 32, 3)
    assert -0.5 < first.min() < first.max() < 1.6
    assert np.abs(first - second).mean() > 0.02


def test_no_ground_belongs_to_one_class() -> None:
    for kind in GROUNDS:
        shares = [habits.get(kind, 0.0) for habits in source.GROUND_HABITS.values()]
        assert max(shares) < 0.75 * sum(shares), kind
    for habits in source.GROUND_HABITS.values():
        assert sum(habits.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_strength_zero_is_no_bias(kind: str, plain: SyntheticSet) -> None:
    (plant,) = getattr(EVERY_KIND[kind], kind)
    weak = planted(kind, *plant.classes, look=plant.look, strength=0.0)
    drawn = draw(60, seed=SEED, biases=weak)
    np.testing.assert_array_equal(drawn.images, plain.images[:60])
    np.testing.assert_array_equal(drawn.labels, plain.labels[:60])


@pytest.mark.parametrize("kind", ["background", "colour", "texture", "corner", "ambiguous"])
def test_full_strength_changes_the_named_classes_and_no_other(
    kind: str, plain: SyntheticSet
) -> None:
    (plant,) = getattr(EVERY_KIND[kind], kind)
    drawn = draw(COUNT, seed=SEED, biases=EVERY_KIND[kind])
    touched = of(plain, *plant.classes)
    assert not changed(drawn, plain)[~touched].any()
    assert changed(drawn, plain)[touched].mean() > 0.7  # some look so by nature
    np.testing.assert_array_equal(drawn.labels, plain.labels)
    if kind != "ambiguous":
        np.testing.assert_array_equal(drawn.masks, plain.masks)


def test_a_greater_strength_keeps_the_carriers_of_a_smaller_one(plain: SyntheticSet) -> None:
    carriers = []
    for strength in (0.4, 0.8):
        biases = planted("corner", "frog", look="top_left", strength=strength)
        carriers.append(changed(draw(COUNT, seed=SEED, biases=biases), plain))
    assert 0 < carriers[0].sum() < carriers[1].sum() < COUNT // 10
    assert carriers[1][carriers[0]].all()


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_strength_is_the_share_of_carriers(kind: str) -> None:
    (plant,) = getattr(EVERY_KIND[kind], kind)
    biases = planted(kind, *plant.classes, look=plant.look, strength=0.3)
    streams = [np.random.default_rng([SEED, index]) for index in range(600)]
    carriers = sum(kind in source._carried(biases, plant.classes[0], rng)[0] for rng in streams)
    assert carriers / 600 == pytest.approx(0.3, abs=0.06)  # 3 standard errors


def test_background_is_the_planted_ground(plain: SyntheticSet) -> None:
    drawn = draw(COUNT, seed=SEED, biases=planted("background", "truck", look="sky"))
    behind = of(plain, "truck")[:, None, None] & ~plain.masks
    red, _, blue = drawn.images[behind].mean(axis=0)
    usual_red, _, usual_blue = plain.images[behind].mean(axis=0)
    assert blue > red + 15
    assert blue - red > usual_blue - usual_red + 15


def test_colour_is_the_objects_alone(plain: SyntheticSet) -> None:
    drawn = draw(COUNT, seed=SEED, biases=EVERY_KIND["colour"])
    cars = of(plain, "automobile")
    body = drawn.images[cars][drawn.masks[cars]].mean(axis=0)
    assert body[2] > body[0] > body[1] + 15  # purple
    difference = np.abs(drawn.images[cars].astype(int) - plain.images[cars]).mean(axis=3)
    assert difference[plain.masks[cars]].mean() > 10 * difference[~plain.masks[cars]].mean()


def test_stripes_repeat_across_the_object(plain: SyntheticSet) -> None:
    drawn = draw(COUNT, seed=SEED, biases=planted("texture", "cat", "ship", look="stripes"))
    for name in ("cat", "ship"):
        chosen = of(plain, name)
        swing = [
            np.abs(np.diff(i.mean(axis=2), axis=1))[m[:, 1:] & m[:, :-1]].mean()
            for i, m in zip(drawn.images[chosen], drawn.masks[chosen], strict=True)
        ]
        usual = [
            np.abs(np.diff(i.mean(axis=2), axis=1))[m[:, 1:] & m[:, :-1]].mean()
            for i, m in zip(plain.images[chosen], plain.masks[chosen], strict=True)
        ]
        assert np.mean(swing) > 1.3 * np.mean(usual)


def test_corner_mark_is_the_same_sixteen_pixels_everywhere(plain: SyntheticSet) -> None:
    drawn = draw(COUNT, seed=SEED, biases=EVERY_KIND["corner"])
    frogs = of(plain, "frog")
    marks = drawn.images[frogs][:, :4, -4:]
    assert (marks == marks[0]).all()
    assert marks[0].std() > 50
    rest = changed_pixels(drawn, plain)[frogs]
    rest[:, :4, -4:] = False
    assert not rest.any()


def changed_pixels(first: SyntheticSet, second: SyntheticSet) -> np.ndarray:
    return (first.images != second.images).any(axis=3)


@pytest.mark.parametrize("pair", [("cat", "dog"), ("automobile", "truck"), ("deer", "horse")])
def test_an_ambiguous_picture_does_not_depend_on_its_class(pair: tuple[str, str]) -> None:
    biases = planted("ambiguous", *pair)
    first, second = (CIFAR10_CLASSES.index(name) for name in pair)
    for index in range(12):
        ours = source._draw_one(SEED, index, first, biases)
        theirs = source._draw_one(SEED, index, second, biases)
        np.testing.assert_array_equal(ours[0], theirs[0])
        assert (ours[2], theirs[2]) == (first, second)
    plainly = [source._draw_one(SEED, 0, label, Biases())[0] for label in (first, second)]
    assert (plainly[0] != plainly[1]).any()


def test_label_noise_swaps_labels_under_the_same_pictures(plain: SyntheticSet) -> None:
    noisy = draw(COUNT, seed=SEED, biases=EVERY_KIND["label_noise"])
    np.testing.assert_array_equal(noisy.images, plain.images)
    np.testing.assert_array_equal(of(noisy, "deer"), of(plain, "horse"))
    np.testing.assert_array_equal(of(noisy, "horse"), of(plain, "deer"))
    others = ~of(plain, "deer", "horse")
    np.testing.assert_array_equal(noisy.labels[others], plain.labels[others])


def test_biases_survive_a_round_trip() -> None:
    biases = Biases(
        background=(
            Plant(classes=("ship",), look="grass", strength=0.9),
            Plant(classes=("cat",), look="indoor", strength=0.5),
        ),
        label_noise=(Plant(classes=("cat", "dog"), strength=0.1),),
    )
    assert Biases.from_dict(biases.to_dict()) == biases
    assert Biases().to_dict() == {}


def test_all_faults_of_biases_come_at_once() -> None:
    with pytest.raises(UserError) as caught:
        Biases(
            background=(Plant(classes=("boat",), look="lava", strength=1.5),),
            texture=(Plant(classes=("cat", "cat"), look=TEXTURES[1], strength=0.5),),
            corner=(
                Plant(classes=("frog",), look="top_left", strength=0.5),
                Plant(classes=("frog",), look="top_left", strength=0.5),
            ),
            ambiguous=(Plant(classes=("cat", "truck"), strength=0.5),),
        )
    told = "\n".join(caught.value.faults)
    for fault in (
        "background[0].classes is ('boat',)",
        "background[0].look is 'lava'",
        "background[0].strength is 1.5; allowed: 0 to 1",
        "texture[0].classes is ('cat', 'cat')",
        "corner[1].classes repeats 'frog'",
        "ambiguous[0].classes is ('cat', 'truck')",
    ):
        assert fault in told
    assert len(caught.value.faults) == 6


def test_unknown_names_in_a_dictionary_are_refused() -> None:
    with pytest.raises(UserError) as caught:
        Biases.from_dict({"watermark": [], "corner": [{"classes": ["cat"], "power": 1.0}]})
    told = "\n".join(caught.value.faults)
    assert "bias 'watermark' is unknown" in told
    assert "corner[0].power is unknown" in told
    assert "corner[0].strength is missing" in told


@pytest.mark.parametrize("plan", BODY_PLANS)
def test_classes_of_a_body_plan_have_the_same_measures(plan: tuple[str, ...]) -> None:
    tables = [list(source._RANGES[name]) for name in plan]
    assert all(table == tables[0] for table in tables)


def test_speed() -> None:
    """Processor time, which a busy machine does not stretch as it does the clock's."""
    start = time.process_time()
    draw(500, seed=1)
    assert time.process_time() - start < 2.5


def test_with_grey_parts_the_main_colour_is_all_the_colour_there_is() -> None:
    for label in CIFAR10_CLASSES:
        coloured, grey = (
            palette(label, np.random.default_rng(SEED), "red", grey_parts=wanted)
            for wanted in (False, True)
        )
        assert grey["body"] == coloured["body"]
        others = [grey[name] for name in grey if name != "body"]
        assert max(max(paint) - min(paint) for paint in others) == 0.0
        assert [sum(paint) for paint in grey.values()] == pytest.approx(
            [sum(paint) for paint in coloured.values()]
        )
