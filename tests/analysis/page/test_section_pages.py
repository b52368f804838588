"""The partial pages: what a section holds is on its page, tested or not."""

from typing import Any

import numpy as np
import pytest

from analysis.page.interventions import (
    background_figures,
    colour_figures,
    interventions_figures,
    texture_figures,
    vehicle_halves_figures,
)
from analysis.perturbations.variants import Variants
from analysis.shortcuts.background import background_section
from analysis.shortcuts.colour import colour_section
from analysis.shortcuts.sky import sky_section
from analysis.shortcuts.texture import texture_section
from analysis.shortcuts.vehicle_halves import vehicle_halves_section
from analysis.validate.scores import detector_section, score
from tests.helpers.pages import render_section
from tests.helpers.variants import NAMES, make_variants, right_with
from trainables.storage.files import without_nan

VARIANTS = (
    *("ellipse_same", "ellipse_other", "rim_same", "rim_other", "ellipse_placebo"),
    *("only_background", "hue_-60", "hue_60", "hue_120", "hue_180"),
    *("tint_red", "tint_green", "tint_blue", "tint_magenta"),
    *("shuffle_8", "shuffle_4", "blur_as_shuffle_8", "blur_as_shuffle_4", "noise_as_shuffle_8"),
    *(f"{arm}_{t}" for arm in ("texture", "noise_like") for t in ("stripes", "spots", "patches")),
    *(f"{s}_of_{d}" for s in ("top", "bottom", "left", "right") for d in ("same", "partner")),
)
SECTIONS = {
    "background": (background_section, background_figures),
    "colour": (colour_section, colour_figures),
    "texture": (texture_section, texture_figures),
    "chassis": (vehicle_halves_section, vehicle_halves_figures),
}


def page(name: str, section: dict[str, Any], figures: dict[str, Any]) -> str:
    return render_section(name, **{name: section}, figures=figures)


@pytest.fixture(scope="module")
def variants():
    return make_variants(
        {name: right_with({}) for name in VARIANTS}, images_per_class=20, num_draws=1
    )


@pytest.mark.parametrize("name", SECTIONS)
def test_a_tested_section_has_a_figure_and_its_rows(name: str, variants) -> None:
    compute, draw = SECTIONS[name]
    section = without_nan(compute(variants))
    html = page(name, section, draw(section))
    assert f'<section id="{name}">' in html
    assert "<svg" in html
    assert "automobile" in html
    assert "nan" not in html.lower()


@pytest.mark.parametrize("name", SECTIONS)
def test_an_untested_section_says_so(name: str) -> None:
    compute, draw = SECTIONS[name]
    section = without_nan(compute(make_variants({}, images_per_class=4)))
    html = page(name, section, draw(section))
    assert "Not tested" in html or "No pair was tested" in html
    assert "<svg" not in html


def test_all_three_interventions_stand_in_one_plot(variants) -> None:
    sections = [SECTIONS[name][0](variants) for name in ("background", "colour", "texture")]
    assert "<svg" in str(interventions_figures(*sections)["interventions"])


def test_the_scores_stand_with_their_counts_and_misses() -> None:
    found = {**dict.fromkeys(("command", "created"), "2026-01-01"), "versions": {}}
    found |= {"num_biased": 10, "num_clean": 10, "images_per_class": 100, "train_size": 2000}
    found |= {"reliant": 0.2, "free": 0.05, "detectors": {"colour": score([])}}
    html = page("detectors", without_nan(detector_section(found)), {})
    assert "0 of 0" in html
    assert "recall nan, wanted 0.90 or more" in html


def test_a_story_without_its_classes_is_not_told() -> None:
    variants = make_variants({}, images_per_class=4)
    renamed = Variants(
        table=variants.table.rename(columns=lambda name: name.replace("frog", "toad")),
        class_names=tuple(name.replace("frog", "toad") for name in NAMES),
        record={},
    )
    empty = np.zeros((0, 16, 16, 3), np.uint8), np.zeros(0, int), np.zeros((0, 8), np.float32)
    assert "Not tested" in page("sky", sky_section(renamed, *empty), {})


def test_detectors_that_were_not_validated_are_said_to_be_so() -> None:
    assert "not validated" in page("detectors", detector_section(None), {})
