"""The blue story: each direction by itself, observed and intervened."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis.perturbations.variants import Variants
from analysis.shortcuts.sky import odds_ratio, sky_section, thirds_of
from tests.helpers.variants import NAMES, make_variants, right_with

PLANE, BIRD, SHIP = (NAMES.index(name) for name in ("airplane", "bird", "ship"))


def with_blue_logit(shift: float, *, classes: tuple[int, ...]) -> Variants:
    """Blue frames raise the logit of airplane by `shift` on pictures of the classes."""
    frames = {f"frame_{frame}": right_with({}) for frame in ("blue", "not_blue", "turned")}
    made = make_variants(frames, images_per_class=60)
    table = made.table.copy()
    raised = (table["variant"] == "frame_blue") & table["label"].isin(classes)
    table.loc[raised, "logit/airplane"] += shift
    return Variants(table=table, class_names=NAMES, record={})


def pictures(blue_is_plane: float):
    """A test in which blue ships and birds are taken for airplanes more often."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(NAMES)), 300)
    blue = rng.random(len(labels)) < 0.5
    images = np.where(blue[:, None, None, None], (60, 110, 200), (130, 120, 60))
    images = images * rng.uniform(0.6, 1.2, (len(labels), 1, 1, 1))  # brightness of its own
    images = np.broadcast_to(images, (len(labels), 16, 16, 3)).astype(np.uint8)
    chance = np.where(blue, blue_is_plane, 0.1)
    taken = np.isin(labels, (SHIP, BIRD)) & (rng.random(len(labels)) < chance)
    logits = np.eye(len(NAMES), dtype=np.float32)[np.where(taken, PLANE, labels)]
    return images, labels, logits


def verdicts(told):
    return {claim["claim"]: claim["verdict"] for claim in told["claims"]}


def test_blue_that_means_airplane_is_confirmed_for_ships_and_birds_only() -> None:
    told = sky_section(with_blue_logit(3.0, classes=(SHIP, BIRD)), *pictures(0.4))
    assert list(verdicts(told).values())[:2] == ["CONFIRMED", "CONFIRMED"]
    assert list(verdicts(told).values())[2] != "CONFIRMED"
    ship = told["directions"][0]
    assert ship["odds_ratio"]["lower"] > 1
    assert ship["delta"]["lower"] > 1
    json.dumps(told)


def test_an_association_without_an_effect_is_not_confirmed() -> None:
    told = sky_section(with_blue_logit(0.0, classes=(SHIP,)), *pictures(0.4))
    assert "CONFIRMED" not in verdicts(told).values()


def test_an_effect_that_is_not_seen_in_the_wild_is_not_confirmed() -> None:
    told = sky_section(with_blue_logit(3.0, classes=(SHIP,)), *pictures(0.1))
    assert "CONFIRMED" not in verdicts(told).values()


def test_other_classes_are_not_tested() -> None:
    table = make_variants({}).table.rename(columns={f"logit/{n}": f"logit/x{n}" for n in NAMES})
    variants = Variants(table=table, class_names=tuple(f"x{n}" for n in NAMES), record={})
    told = sky_section(variants, *pictures(0.4))
    assert not told["tested"]
    assert set(verdicts(told).values()) == {"NOT TESTED"}


def test_the_odds_ratio_of_one_stratum_is_the_cross_product() -> None:
    # 30 pictures of one brightness third each way: 6 of 10 bluest taken, 2 of 10 least blue.
    blue = np.repeat([0.9, 0.5, 0.1], 10)
    taken = np.concatenate([np.arange(10) < 6, np.zeros(10), np.arange(10) < 2]).astype(bool)
    same = np.tile(blue, 3)
    brightness = np.repeat([0.0, 100.0, 200.0], 30)
    ratio, p_value = odds_ratio(same, brightness, np.tile(taken, 3))
    assert ratio.value == pytest.approx((6 * 8) / (4 * 2))
    assert p_value < 0.05


def test_no_errors_leave_the_ratio_undefined() -> None:
    ratio, _ = odds_ratio(np.arange(30.0), np.arange(30.0), np.zeros(30, bool))
    assert np.isnan(ratio.value)


def test_thirds_are_of_equal_size() -> None:
    assert pd.Series(thirds_of(np.random.default_rng(0).random(99))).value_counts().tolist() == [
        33,
        33,
        33,
    ]
