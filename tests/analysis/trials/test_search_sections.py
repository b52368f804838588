"""The pages of importance, effects and the anytime curve, with a test and without one."""

from typing import Any
from xml.etree import ElementTree

import pytest

from analysis.page.curves import anytime_figures
from analysis.page.importance import importance_figures
from analysis.page.rows import effects_figures
from analysis.trials.anytime import anytime_section
from analysis.trials.effects import effects_section
from analysis.trials.importance import importance_section
from tests.analysis.trials.test_anytime import JOURNAL, SETTINGS
from tests.helpers.pages import render_section
from tests.helpers.tried_runs import searched
from trainables.storage.files import without_nan

pytestmark = pytest.mark.timeout(30)  # figures are laid out by matplotlib


def page_of(name: str, section: dict[str, Any], figures: dict[str, Any]) -> str:
    return render_section(name, **{name: without_nan(section)}, figures=figures)


def checked(page: str, name: str, num_figures: int) -> str:
    assert f'<section id="{name}">' in page
    assert page.count("<svg") == page.count("aria-label") == num_figures
    for start in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + start.split("</svg>")[0] + "</svg>")
    return page


def run(num_trials: int) -> tuple[list[dict[str, Any]], Any]:
    def truth(params: Any) -> float:
        return 0.7 + 0.05 * params["cutmix"]

    return searched(truth, num_trials=num_trials, seed=0, class_truths={"cat": truth})


def test_importance_page() -> None:
    section = importance_section(*run(40), ("cat", "dog"), num_val_images=2000, seed=0)
    page = checked(page_of("importance", section, importance_figures(section)), "importance", 2)
    for expected in ("n = 40 of 40 trials", "phase-2 epoch\n      3", "cutmix", "noise level"):
        assert expected in page


def test_effects_page() -> None:
    section = effects_section(*run(40), num_val_images=2000)
    page = checked(page_of("effects", section, effects_figures(section)), "effects", 1)
    for expected in (
        "n = 40 trials",
        "associations within one search",
        "per doubling",
        "CONFIRMED",
    ):
        assert expected in page


def test_anytime_page() -> None:
    section = anytime_section(JOURNAL, SETTINGS, num_val_images=2000)
    page = checked(page_of("anytime", section, anytime_figures(section)), "anytime", 2)
    for expected in ("1.7 minutes", "10 epochs", "REFUTED", "epochs saved"):
        assert expected in page


def test_pages_without_a_test() -> None:
    few = run(3)
    importance = importance_section(*few, ("cat",), num_val_images=2000, seed=0)
    effects = effects_section(*few, num_val_images=2000)
    nothing = anytime_section([], {}, num_val_images=2000)
    assert "Not tested: 3 trials" in checked(
        page_of("importance", importance, importance_figures(importance)), "importance", 0
    )
    assert "Not tested: 3 trials" in checked(
        page_of("effects", effects, effects_figures(effects)), "effects", 0
    )
    assert "No trial reported" in checked(
        page_of("anytime", nothing, anytime_figures(nothing)), "anytime", 0
    )
