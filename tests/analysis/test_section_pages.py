"""The partial pages: what a section holds is on its page, tested or not."""

from typing import Any

import pytest
from handmade_variants import make_variants, right_with
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis import render
from analysis.background import background_section
from analysis.chassis import chassis_section
from analysis.colour import colour_section
from analysis.detector_table import detector_section
from analysis.files import without_nan
from analysis.intervention_figures import (
    background_figures,
    chassis_figures,
    colour_figures,
    interventions_figure,
    texture_figures,
)
from analysis.texture import texture_section

VARIANTS = (
    *("ellipse_same", "ellipse_other", "frame_same", "frame_other", "ellipse_placebo"),
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
    "chassis": (chassis_section, chassis_figures),
}


def page(name: str, section: dict[str, Any], figures: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("analysis"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        word: getattr(render, word)
        for word in ("percent", "points", "number", "interval", "setting")
    }
    template = environment.get_template(f"sections/{name}.html.j2")
    return template.render(**{name: section}, figures=figures, command="made by hand")


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
    assert "ot tested" in html or "No pair was tested" in html
    assert "<svg" not in html


def test_all_three_interventions_stand_in_one_plot(variants) -> None:
    sections = [SECTIONS[name][0](variants) for name in ("background", "colour", "texture")]
    assert "<svg" in str(interventions_figure(*sections))


def test_detectors_that_were_not_validated_are_said_to_be_so() -> None:
    assert "not validated" in page("detectors", detector_section(None), {})
