"""The battery on a model that is a formula: what it runs, and that it says so."""

from pathlib import Path

import numpy as np
import pytest

from analysis.perturbations import battery
from analysis.perturbations.battery import BatterySettings, run_battery, stratified_sample
from analysis.perturbations.variants import load_variants
from trainables.errors import UserError

NAMES = ("airplane", "ship", "bird", "weasel")


def predict(images: np.ndarray) -> np.ndarray:
    """Logits from the mean colour of the whole picture: reads the background as well."""
    means = images.reshape(len(images), -1, 3).mean(axis=1)
    weights = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]).T
    return (means @ weights).astype(np.float32)


def pictures(per_class: int, side_px: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(4), per_class)
    images = rng.integers(0, 200, (len(labels), side_px, side_px, 3))
    for channel in range(3):
        images[labels == channel, :, :, channel] += 50
    return images.astype(np.uint8), labels


def run(settings: BatterySettings, per_class: int = 12, names: tuple[str, ...] = NAMES):
    lines: list[str] = []
    variants = run_battery(predict, *pictures(per_class), names, settings, say=lines.append)
    return variants, lines


def test_every_picture_has_every_variant_of_its_kind() -> None:
    variants, lines = run(BatterySettings(images_per_class=10, num_draws=2))
    assert len(variants.labels) == 40
    assert len(variants.rows("ellipse_other")) == 80
    assert len(variants.rows("frame_blue")) == 60  # two draws of three classes
    assert len(variants.rows("top_of_partner")) == 20  # airplane and ship
    assert {"shuffle_8", "blur_as_shuffle_4", "hue_180", "tint_green", "texture_spots"} <= set(
        variants.names
    )
    assert (
        variants.rows("ellipse_other")["donor_label"] != variants.rows("ellipse_other")["label"]
    ).all()
    assert "forward passes, about" in lines[0]
    assert variants.record["num_forward_passes"] == len(variants.table)


@pytest.mark.parametrize(("seconds", "lines_each"), [(0.0, 1), (1e9, 0)])
def test_it_tells_how_far_it_is_every_few_seconds(monkeypatch, seconds, lines_each) -> None:
    monkeypatch.setattr(battery, "SAY_SECONDS", seconds)
    variants, lines = run(BatterySettings(images_per_class=5, families=("colour",)))
    draws = sum(rows["draw"].nunique() for rows in map(variants.rows, variants.names))
    assert len(lines) == 1 + lines_each * (draws - 1)  # the first line is the estimate


def test_the_same_seed_gives_the_same_table_whatever_else_is_run() -> None:
    settings = BatterySettings(images_per_class=8, num_draws=1, families=("colour", "background"))
    whole, _ = run(settings)
    part, _ = run(BatterySettings(images_per_class=8, num_draws=1, families=("background",)))
    again = whole.rows("ellipse_other").reset_index(drop=True)
    assert again.equals(part.rows("ellipse_other").reset_index(drop=True))


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    variants, _ = run(BatterySettings(images_per_class=5, families=("colour",)))
    variants.save(tmp_path)
    loaded = load_variants(tmp_path / "variants.parquet")
    assert loaded.class_names == NAMES
    assert loaded.record == variants.record
    assert loaded.right("hue_60").equals(variants.right("hue_60"))


def test_what_the_pictures_do_not_allow_is_left_out() -> None:
    few, _ = run(BatterySettings(images_per_class=10), per_class=2)
    assert not any(name.startswith(("ellipse", "frame", "top")) for name in few.names)
    assert "hue_60" in few.names


def test_the_sample_is_stratified_and_drawn_without_replacement() -> None:
    labels = np.array([0] * 50 + [1] * 3)
    chosen = stratified_sample(labels, 5, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [5, 3]
    assert len(set(chosen)) == 8
    assert stratified_sample(labels, 5, seed=1).tolist() != chosen.tolist()


def test_faults_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        BatterySettings(images_per_class=1, num_draws=0)
    assert len(caught.value.faults) == 2
    with pytest.raises(UserError, match="twice"):
        BatterySettings(half_pairs=(("a", "b"), ("b", "c")))
    with pytest.raises(UserError, match="8 px wide"):
        run_battery(predict, *pictures(3, 8), NAMES, BatterySettings(), say=lambda line: None)
    with pytest.raises(UserError, match="cannot be read"):
        load_variants(tmp_path / "absent.parquet")
