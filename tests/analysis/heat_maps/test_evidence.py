"""Evidence sheets: the maps of the right pictures on one scale, and what each swap changed."""

import json
import re
from typing import Any

import numpy as np
import pytest

from analysis.errors.gallery import gallery_section
from analysis.heat_maps.evidence import HeatMaps, choose_errors, evidence_section, indices_of
from analysis.page.pictures import evidence_figures
from tests.helpers.pages import render_section
from trainables.storage.files import without_nan

NAMES = ("ant", "bee", "cow")
LABELS = np.repeat([0, 1, 2], [12, 3, 5])
SWAPS = ("same-class surround", "other-class surround")


def logits() -> np.ndarray:
    """All ants and bees are taken for bees; cows are right."""
    values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    values[np.arange(20), np.repeat([1, 1, 2], [12, 3, 5])] += 6
    return values


def heat_of(indices: np.ndarray) -> HeatMaps:
    predicted, true = np.random.default_rng(1).normal(size=(2, len(indices), 4, 4))
    predicted[:1] = -1.0  # nothing speaks for the first prediction
    return HeatMaps(
        method="HiResCAM", place="layer3", indices=indices, predicted=predicted, true=true
    )


def sheets(pairs: list[tuple[int, int]]) -> tuple[dict[str, Any], str]:
    values, images = logits(), np.random.default_rng(2).integers(0, 256, (20, 8, 8, 3), np.uint8)
    chosen = choose_errors(LABELS, values, pairs, seed=0)
    indices = indices_of(chosen)
    heat = heat_of(indices)
    cured = np.tile(np.array([5.0, 0, 0]), (len(indices), 1))  # now an ant
    told = evidence_section(
        chosen,
        LABELS,
        values,
        NAMES,
        heat=heat,
        variant_logits={SWAPS[0]: values[indices], SWAPS[1]: cured},
        seed=0,
    )
    told = json.loads(json.dumps(without_nan(told), allow_nan=False))
    swapped = dict.fromkeys(SWAPS, 255 - images[indices])
    figures = evidence_figures(told, images, heat, swapped)
    return told, render_section("evidence", evidence=told, figures=figures)


def test_a_sheet_says_what_each_swap_changed() -> None:
    told, page = sheets([(0, 1)])
    (sheet,) = told["sheets"]
    assert (sheet["count"], len(sheet["pictures"])) == (12, 8)
    assert [p["chosen"] for p in sheet["pictures"]] == ["random"] * 4 + ["surest"] * 4
    for picture in sheet["pictures"]:
        unchanged, cured = picture["variants"]
        assert (unchanged["changed"], unchanged["change"]) == (False, 0.0)
        assert (cured["prediction"], cured["changed"], cured["right"]) == ("ant", True, True)
        assert cured["change"] < -0.5
    assert page.count("<img") == 8 * (5 + len(SWAPS))
    assert page.count("still\n") == page.count("now\n") == 8
    assert "4 \N{MULTIPLICATION SIGN} 4 cells" in page
    assert (told["heat"]["grid"], told["heat"]["num_dead"]) == (4, 1)


def test_it_shows_the_pictures_of_the_gallerys_strip() -> None:
    told, _ = sheets([(0, 1)])
    images = np.zeros((20, 8, 8, 3), np.uint8)
    strip = gallery_section(images, LABELS, logits(), NAMES, seed=0)["strips"][0]
    shown = [p["index"] for p in told["sheets"][0]["pictures"]]
    assert shown == [p["index"] for p in strip["random"] + strip["surest"]]


def test_pairs_without_errors_have_no_sheet() -> None:
    told, page = sheets([(2, 0), (1, 1)])
    assert told["sheets"] == []
    assert told["heat"]["strongest"] == 0.0
    assert "No flagged pair has an error to show." in page
    assert "<img" not in page


def test_every_picture_is_explained_once() -> None:
    both = choose_errors(LABELS, logits(), [(0, 1), (0, 1)], seed=0)
    assert len(indices_of(both)) == 8
    told, page = sheets([(0, 1)])
    assert told["heat"]["num_pictures"] == 8
    assert len(re.findall(r'id="(evidence-[^"]+)"', page)) == 1


def test_maps_of_other_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths are 2, 1 and 2"):
        HeatMaps(
            method="",
            place="",
            indices=np.arange(2),
            predicted=np.zeros((1, 4, 4)),
            true=np.zeros((2, 4, 4)),
        )
