"""Partial pages and figures of the statistics, of sections that could be tested or could not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors.calibration import calibration_section
from analysis.errors.class_contrasts import class_contrasts_section
from analysis.errors.classes import Kinds
from analysis.errors.overfitting import overfitting_section
from analysis.errors.pairs import pairs_section
from analysis.errors.systematic import systematic_section
from analysis.page.curves import calibration_figures
from analysis.page.pairs import pairs_figures
from analysis.page.rows import class_contrasts_figures, unfreeze_figures
from analysis.trials.unfreeze import unfreeze_section
from tests.helpers.fabricate import CIFAR10
from tests.helpers.pages import render_section
from tests.helpers.variants import null_table
from trainables.storage.files import without_nan

FIGURES = {
    "pairs": pairs_figures,
    "class_contrasts": class_contrasts_figures,
    "calibration": calibration_figures,
    "unfreeze": unfreeze_figures,
}
FRESH = {"trial": 3, "seeds": [1000, 1001], "reason": None}
NOT_FRESH = {"trial": None, "seeds": [], "reason": "the run was not confirmed"}
SECTIONS = (*FIGURES, "systematic", "overfitting")


def page(name: str, section: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The section's HTML and its figures."""
    clean = without_nan(section)
    figures = FIGURES[name](clean) if name in FIGURES else {}
    return render_section(name, **{name: clean}, figures=figures, model={"trial": 3}), figures


def a_table() -> np.ndarray:
    table = null_table(np.random.default_rng(0), 500)
    for cell, more in {(3, 5): 78, (5, 3): 76, (0, 8): 60}.items():
        table[cell] += more
        table[cell[0], cell[0]] -= more
    return table


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(1)
    table, labels = a_table(), np.repeat(np.arange(10), 100)
    logits = rng.normal(size=(1000, 10)) + 4 * np.eye(10)[labels]
    seeds = [np.where(rng.random(1000) < 0.2, (labels + 1) % 10, labels) for _ in range(2)]
    epochs = pd.DataFrame(
        {
            "trial": 0,
            "epoch": range(1, 5),
            "phase": [1, 1, 2, 2],
            "val_accuracy": [0.5, 0.5, 0.7, 0.7],
        }
    )
    right = np.arange(1000) < 800
    draws = {"num_resamples": 100, "seed": 0}
    return {
        "pairs": pairs_section(table, CIFAR10, **draws),
        "class_contrasts": class_contrasts_section(
            table, CIFAR10, Kinds.of_run({}, CIFAR10), **draws
        ),
        "calibration": calibration_section(labels, logits, **draws),
        "unfreeze": unfreeze_section(labels, np.tile(labels, (4, 1)), epochs, 0, **draws),
        "systematic": systematic_section(table, labels, seeds, **draws) | {"fresh": FRESH},
        "overfitting": overfitting_section(right, right, [1.0, 0.9, 0.8]),
    }


@pytest.fixture(scope="module")
def untested_sections() -> dict[str, dict[str, Any]]:
    table, none = np.diag([3] * 10), np.zeros(0, int)
    epochs = pd.DataFrame({"trial": [0], "epoch": [1], "phase": [1], "val_accuracy": [0.5]})
    draws = {"num_resamples": 100, "seed": 0}
    return {
        "pairs": pairs_section(table, CIFAR10, **draws),
        "class_contrasts": class_contrasts_section(
            table, CIFAR10, Kinds.of_run({}, CIFAR10), **draws
        ),
        "calibration": calibration_section(none, np.zeros((0, 10)), **draws),
        "unfreeze": unfreeze_section(none, None, epochs, 0, **draws),
        "systematic": systematic_section(table, none, **draws) | {"fresh": NOT_FRESH},
        "overfitting": overfitting_section(np.ones(3, bool), np.ones(3, bool), []),
    }


@pytest.mark.parametrize("name", SECTIONS)
def test_a_tested_section_tells_its_claims_and_shows_its_figures(sections, name):
    section = sections[name]
    html, figures = page(name, section)
    assert f'<section id="{name.replace("_", "-")}">' in html
    assert "Not tested" not in html
    for claim in section["claims"]:
        assert claim["verdict"] != "NOT TESTED"
        assert claim["section"] == name
        assert claim["sentence"].split("(")[0].split("'")[0] in html
    for figure in figures.values():
        assert figure in html
        assert "var(--" in figure
        assert "#00ff" not in figure  # every stand-in colour has become the page's own
    assert len(figures) == {"pairs": 2}.get(name, name in FIGURES)


@pytest.mark.parametrize("name", SECTIONS)
def test_an_untested_section_says_why_and_draws_nothing(untested_sections, name):
    html, figures = page(name, untested_sections[name])
    assert figures == {}
    assert "Not tested: " in html


def test_the_matrix_boxes_the_flagged_pairs_in_the_order_of_the_tree(sections):
    section = sections["pairs"]
    _, figures = page("pairs", section)
    svg = str(figures["excess"])
    places = [svg.index(f">{CIFAR10[k]}<") for k in section["clustering"]["order"]]
    assert places == sorted(places)
    assert sum(row["flagged"] for row in section["pairs"]) == 2
    assert svg.count("stroke-width: 1.6") == 4  # both cells of each pair
