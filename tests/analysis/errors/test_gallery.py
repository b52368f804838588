"""Strips and links match, pictures are chosen by rule, and the pixels are those of the test."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from analysis.errors.gallery import MOST_STRIP_PICTURES, gallery_section
from analysis.page.pictures import gallery_entries, gallery_figures
from analysis.statistics.picture_choice import as_many_of_each_class, pair_errors, probabilities
from tests.helpers.pages import render_section
from trainables.storage.files import without_nan

NAMES = ("ant", "bee", "cow")


def pictures(count: int, side_px: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side_px, side_px, 3), np.uint8)


def logits_of(predictions: np.ndarray, num_classes: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(len(predictions), num_classes))
    logits[np.arange(len(predictions)), predictions] += 8
    return logits.astype(np.float32)


def made(labels: np.ndarray, predictions: np.ndarray, names: tuple[str, ...] = NAMES) -> dict:
    told = gallery_section(
        pictures(len(labels)), labels, logits_of(predictions, len(names)), names, seed=0
    )
    return json.loads(json.dumps(without_nan(told), allow_nan=False))


def page_of(section: dict[str, Any]) -> tuple[str, dict[str, Markup]]:
    figures = gallery_figures(gallery_entries(section), pictures(section["num_images"]))
    return render_section("gallery", gallery=section, figures=figures), figures


@pytest.fixture
def mixed() -> dict[str, Any]:
    """20 ants taken for bees, 2 bees for cows, 1 cow for an ant, and 60 right ones."""
    right = np.arange(60) % 3
    labels = np.concatenate([right, np.repeat([0, 1, 2], [20, 2, 1])])
    return made(labels, np.concatenate([right, np.repeat([1, 2, 0], [20, 2, 1])]))


def test_every_confusion_has_a_strip_that_its_cell_opens(mixed: dict[str, Any]) -> None:
    page, _ = page_of(mixed)
    links = set(re.findall(r'<a href="#(errors-[^"]+)"', page))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert links == {"errors-0-1", "errors-1-2", "errors-2-0"}
    assert links == {name for name in ids if name.startswith("errors-")}
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert 'aria-label="20 of ant taken for bee"' in page
    assert "<script" not in page


def test_a_strip_is_four_at_random_and_the_four_surest_of_the_others(
    mixed: dict[str, Any],
) -> None:
    strips = {strip["id"]: strip for strip in mixed["strips"]}
    assert [strip["count"] for strip in mixed["strips"]] == [20, 2, 1]
    ants = strips["errors-0-1"]
    shown = [entry["index"] for entry in ants["random"] + ants["surest"]]
    assert len(set(shown)) == 8
    assert all(60 <= index < 80 for index in shown)
    surest = [entry["probability"] for entry in ants["surest"]]
    assert surest == sorted(surest, reverse=True)
    assert (len(strips["errors-1-2"]["random"]), strips["errors-1-2"]["surest"]) == (2, [])


def test_no_error_that_is_surer_is_left_out() -> None:
    labels, shares = np.zeros(50, np.int64), np.full((50, 2), 0.3)
    shares[:, 1] = np.random.default_rng(3).permutation(np.linspace(0.6, 0.9, 50))
    errors = pair_errors(labels, shares, 0, 1, seed=5)
    left_out = np.setdiff1d(np.arange(50), np.concatenate([errors.drawn, errors.surest]))
    assert shares[left_out, 1].max() < shares[errors.surest, 1].min()
    again = pair_errors(labels, shares, 0, 1, seed=5)
    np.testing.assert_array_equal(errors.drawn, again.drawn)
    assert not np.array_equal(errors.drawn, pair_errors(labels, shares, 0, 1, seed=6).drawn)


def test_right_and_wrong_carry_a_sign_beside_the_colour(mixed: dict[str, Any]) -> None:
    page, _ = page_of(mixed)
    for item in re.findall(r'<li class="(?:right|wrong)">.*?</li>', page, flags=re.DOTALL):
        is_right = 'class="right"' in item
        assert ("✓" in item, "✗" in item) == (is_right, not is_right)
        assert ("right:" if is_right else "wrong:") in item
    assert page.count("✓</b>") == sum(entry["right"] for entry in mixed["grid"])
    assert f"{mixed['grid_wrong']} of them are wrong" in page


def test_pixels_are_those_of_the_test(mixed: dict[str, Any]) -> None:
    page, figures = page_of(mixed)
    index = mixed["strips"][0]["random"][0]["index"]
    data = re.search(r"base64,([^\"]+)", figures[f"gallery-{index}"])[1]
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    np.testing.assert_array_equal(np.asarray(image), pictures(mixed["num_images"])[index])
    assert figures[f"gallery-{index}"] in page


def test_no_errors() -> None:
    labels = np.arange(9) % 3
    section = made(labels, labels)
    page, figures = page_of(section)
    assert "No image was confused." in page
    assert (section["strips"], len(figures), section["grid_wrong"]) == ([], 9, 0)


def test_all_wrong_with_two_classes() -> None:
    labels = np.arange(6) % 2
    section = made(labels, 1 - labels, ("<b>", "bee"))
    page, _ = page_of(section)
    assert [strip["count"] for strip in section["strips"]] == [3, 3]
    assert section["grid_wrong"] == 6
    assert "<b>:" not in page
    assert "&lt;b&gt; taken for bee" in page


def test_a_hundred_classes_are_a_list_and_the_rarest_confusions_stay_out() -> None:
    names = tuple(f"class {k}" for k in range(100))
    labels = np.repeat(np.arange(100), 12)
    predictions = (labels + 1 + np.arange(len(labels)) % 12) % 100
    section = made(labels, predictions, names)
    assert section["matrix"] is None
    shown = sum(len(strip["random"]) + len(strip["surest"]) for strip in section["strips"])
    assert shown <= MOST_STRIP_PICTURES
    assert section["num_cells_without_strip"] == 1200 - len(section["strips"])
    page, _ = page_of(section)
    assert page.count('<a href="#errors-') == len(section["strips"])
    assert f"The {section['num_cells_without_strip']} rarest confusions" in page


def test_arrays_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths are 3, 4 and 4"):
        gallery_section(
            pictures(3), np.zeros(4, np.int64), np.zeros((4, 3), np.float32), NAMES, seed=0
        )


def test_as_many_of_each_class_as_there_are() -> None:
    labels = np.repeat([0, 1, 2], [50, 2, 50])
    chosen = as_many_of_each_class(labels, 30, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [10, 2, 10]
    assert len(np.unique(chosen)) == len(chosen)
    assert len(as_many_of_each_class(labels[:0], 30, seed=0)) == 0


def test_probabilities_are_a_softmax() -> None:
    np.testing.assert_allclose(
        probabilities(np.array([[0, np.log(3)], [1000, 0]])), [[0.25, 0.75], [1, 0]]
    )
