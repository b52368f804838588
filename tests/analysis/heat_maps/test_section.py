"""Heat maps illustrate; no map, however good it looks, decides the claim."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.heat_maps.section import Explained, attribution_section
from tests.helpers.pages import render_section
from trainables.storage.files import without_nan

TIMES = "\N{MULTIPLICATION SIGN}"


def explained(
    maps: np.ndarray, of_random_weights: np.ndarray, *, place: str = "layer2", num_classes: int = 2
) -> Explained:
    grid = maps.shape[1]
    rng = np.random.default_rng(9)
    return Explained(
        method="HiResCAM",
        place=place,
        predictions=np.arange(len(maps)) % num_classes,
        maps=maps,
        of_random_weights=of_random_weights,
        of_random_channels=rng.normal(size=maps.shape),
        starts=np.arange(grid) / grid,
        width=1 / grid,
    )


def noise(count: int, grid: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, grid, grid))


def section(*parts: Explained) -> dict[str, Any]:
    told = attribution_section(parts, num_resamples=100, seed=0)
    return json.loads(json.dumps(without_nan(told), allow_nan=False))


def test_a_fine_map_that_depends_on_the_weights_is_an_illustration_and_no_verdict() -> None:
    told = section(explained(noise(40, 8, 1), noise(40, 8, 2)))
    (row,), (claim,) = told["rows"], told["claims"]
    assert row["word"] == "illustration"
    assert abs(row["likeness"]["random_weights"]["value"]) < 0.1
    assert claim["verdict"] == "INCONCLUSIVE"
    assert claim["effect"] == row["centre_lift"]["model"]
    assert claim["num_images"] == 40
    assert "the background swaps do" in claim["sentence"]


def test_a_map_that_any_network_draws_is_uninformative() -> None:
    maps = noise(40, 8, 1)
    told = section(explained(maps, maps + 0.1 * noise(40, 8, 2)))
    assert told["rows"][0]["word"] == "uninformative"
    assert told["rows"][0]["likeness"]["random_weights"]["lower"] > 0.5
    assert told["claims"][0]["verdict"] == "NOT TESTED"
    assert "uninformative at this resolution" in told["claims"][0]["sentence"]


@pytest.mark.parametrize(("grid", "word"), [(1, "unchecked"), (4, "too coarse"), (6, "too coarse")])
def test_a_coarse_grid_is_refused(grid: int, word: str) -> None:
    told = section(explained(noise(60, grid, 1), noise(60, grid, 2)))
    assert told["rows"][0]["word"] == word
    assert told["claims"][0]["verdict"] == "NOT TESTED"


def test_dead_maps_are_counted_and_left_out() -> None:
    maps = noise(50, 8, 1)
    maps[:10] = -np.abs(maps[:10])
    row = section(explained(maps, noise(50, 8, 2)))["rows"][0]
    assert (row["num_dead"], row["num_compared"], row["word"]) == (10, 40, "illustration")
    none_left = section(explained(-np.abs(maps), noise(50, 8, 2)))
    assert none_left["rows"][0]["word"] == "dead"
    assert none_left["rows"][0]["centre_lift"]["model"]["value"] is None
    assert none_left["claims"][0]["verdict"] == "NOT TESTED"


def test_few_pictures_and_none() -> None:
    told = section(explained(noise(6, 8, 1), noise(6, 8, 2)))
    assert told["rows"][0]["word"] == "unchecked"
    assert "6 maps could be compared" in told["claims"][0]["sentence"]
    assert section()["claims"][0]["verdict"] == "NOT TESTED"


def test_two_places_that_tell_the_same_story_agree() -> None:
    coarse = noise(40, 4, 1)
    fine = np.repeat(np.repeat(coarse, 2, axis=1), 2, axis=2)
    told = section(
        explained(fine, noise(40, 8, 2)),
        explained(coarse, noise(40, 4, 3), place="layer3"),
        explained(noise(40, 4, 4), noise(40, 4, 5), place="layer4"),
    )["agreement"]
    assert [row["places"] for row in told] == [["layer2", "layer3"], ["layer3", "layer4"]]
    assert [row["grid"] for row in told] == [4, 4]
    assert told[0]["rank_correlation"]["value"] == pytest.approx(1)
    assert told[1]["rank_correlation"]["upper"] < 0.3


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 99), st.floats(0, 3))
def test_no_map_confirms_or_refutes(count: int, grid: int, seed: int, centre: float) -> None:
    maps = noise(count, grid, seed)
    maps[:, grid // 2, grid // 2] += centre
    told = attribution_section(
        [explained(maps, noise(count, grid, seed + 1))], num_resamples=20, seed=seed
    )
    assert told["claims"][0]["verdict"] in ("INCONCLUSIVE", "NOT TESTED")


def test_maps_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes are"):
        explained(noise(3, 8, 1), noise(3, 4, 1))


def test_its_page_names_the_grid_and_the_verdict() -> None:
    told = section(
        explained(noise(40, 8, 1), noise(40, 8, 2)),
        explained(noise(40, 4, 1), noise(40, 4, 2), place="layer3"),
    )
    page = render_section("attribution", attribution=told)
    for expected in (
        "INCONCLUSIVE",
        f"8 {TIMES} 8",
        "too coarse",
        "HiResCAM, layer3",
        f"4 {TIMES} 4 cells",
    ):
        assert expected in page
    assert "NOT TESTED" in render_section("attribution", attribution=section())


@pytest.mark.parametrize(("mean", "word"), [(0.1, "illustration"), (0.0, "uninformative")])
def test_hiding_what_a_map_points_at_must_hurt(mean: float, word: str) -> None:
    gains = mean + 0.05 * np.random.default_rng(0).standard_normal(40)
    part = replace(
        explained(noise(40, 8, 1), noise(40, 8, 2)), road_gains=gains - gains.mean() + mean
    )
    told = section(part)
    (row,) = told["rows"]
    assert row["word"] == word
    assert (row["road"]["p"] < 0.05) == (mean > 0)
    assert row["road"]["gain"]["value"] == pytest.approx(mean)
    assert "at most 40 of the pictures" in render_section("attribution", attribution=told)
    nothing = section(replace(part, road_gains=np.zeros(40)))["rows"][0]
    assert (nothing["road"]["p"], nothing["word"]) == (1.0, "uninformative")
