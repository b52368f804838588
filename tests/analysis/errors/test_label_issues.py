"""Planted wrong labels are found, right ones are not called wrong, and the bound holds."""

import sys

import numpy as np
import pytest

from analysis.errors.label_issues import flags, label_issues_section
from analysis.page.pictures import gallery_figures
from analysis.statistics.picture_choice import probabilities
from tests.helpers.pages import render_section
from trainables.storage.files import without_nan

NUM_CLASSES = 5
NAMES = ("airplane", "bird", "cat", "deer", "dog")


def answers(
    count: int, *, margin: float, wrong: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Given labels, logits of a model that knows the true ones, and which labels are wrong."""
    rng = np.random.default_rng(seed)
    true = np.arange(count) % NUM_CLASSES
    logits = rng.normal(size=(count, NUM_CLASSES))
    logits[np.arange(count), true] += margin
    is_wrong = rng.random(count) < wrong
    given = np.where(is_wrong, (true + rng.integers(1, NUM_CLASSES, count)) % NUM_CLASSES, true)
    return given, 3 * logits, is_wrong


def test_a_good_model_finds_what_was_planted_and_little_else() -> None:
    given, logits, is_wrong = answers(3000, margin=4.0, wrong=0.04, seed=0)
    flagged = flags(given, probabilities(logits))
    assert (flagged & is_wrong).sum() / is_wrong.sum() > 0.85  # recall
    assert (flagged & is_wrong).sum() / flagged.sum() > 0.9  # precision


def test_a_weak_model_flags_right_labels_and_confirms_nothing() -> None:
    """Its own confident mistakes look the same: no label is wrong, and hundreds are flagged."""
    given, logits, _ = answers(3000, margin=2.0, wrong=0.0, seed=1)
    section = label_issues_section(given, logits, NAMES, seed=0)
    assert section["num_flagged"] > 100
    assert section["claims"][0]["verdict"] in ("REFUTED", "INCONCLUSIVE")
    assert section["share_of_errors"]["lower"] == 0.0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [2.5, 4.0])
def test_the_bound_holds_the_wrong_labels(margin: float, seed: int) -> None:
    given, logits, is_wrong = answers(3000, margin=margin, wrong=0.04, seed=seed)
    section = label_issues_section(given, logits, NAMES, seed=0)
    wrong_errors = (is_wrong & (logits.argmax(axis=1) != given)).sum()
    assert section["share_of_errors"]["upper"] * section["num_errors"] >= wrong_errors


def test_few_flags_refute_that_labels_explain_the_errors() -> None:
    """Errors by a hair are the model's own: what is flagged bounds what the labels can explain."""
    rng = np.random.default_rng(2)
    labels = np.arange(2000) % NUM_CLASSES
    logits = rng.normal(size=(2000, NUM_CLASSES))
    logits[np.arange(2000), labels] += 12
    torn = rng.choice(2000, 300, replace=False)
    logits[torn] = rng.normal(scale=0.1, size=(300, NUM_CLASSES))
    section = label_issues_section(labels, logits, NAMES, seed=0)
    assert section["num_errors"] > 200
    assert section["claims"][0]["verdict"] == "REFUTED"
    assert section["share_of_errors"]["upper"] < 0.5


def test_pairs_count_every_error_and_the_flagged_ones_of_them() -> None:
    given, logits, _ = answers(2000, margin=3.0, wrong=0.03, seed=3)
    section = label_issues_section(given, logits, NAMES, seed=0)
    assert sum(row["errors"] for row in section["pairs"]) == section["num_errors"]
    assert all(0 <= row["count"] <= row["errors"] for row in section["pairs"])
    assert all(row["given"] != row["suggested"] for row in section["pairs"])
    chances = [picture["label_probability"] for picture in section["pictures"]]
    assert chances == sorted(chances)
    assert section == label_issues_section(given, logits, NAMES, seed=0)


@pytest.mark.parametrize(
    ("labels", "logits", "reason"),
    [
        (np.arange(20) % 5, np.eye(5)[np.zeros(20, int)], "a class has 4 test images"),
        (np.arange(80) % 4, np.eye(5)[np.zeros(80, int)], "a class has 0 test images"),
        (np.arange(80) % 5, np.eye(5)[np.arange(80) % 5], "every image was recognised"),
        (np.arange(80) % 5, np.zeros((80, 5)), "too few to bound the others"),
    ],
)
def test_what_cannot_be_tested_says_why(
    labels: np.ndarray, logits: np.ndarray, reason: str
) -> None:
    section = label_issues_section(labels, logits, NAMES, seed=0)
    assert reason in section["reason"]
    assert section["claims"][0]["verdict"] == "NOT TESTED"
    assert "Not tested: " in render_section("label_issues", label_issues=section, figures={})


def test_all_wrong_gives_no_verdict_on_the_labels() -> None:
    labels = np.arange(200) % 5
    section = label_issues_section(labels, 9.0 * np.eye(5)[(labels + 1) % 5], NAMES, seed=0)
    assert section["claims"][0]["verdict"] in ("INCONCLUSIVE", "NOT TESTED")


def test_without_the_library_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    given, logits, _ = answers(200, margin=3.0, wrong=0.0, seed=4)
    section = label_issues_section(given, logits, NAMES, seed=0)
    assert "needs cleanlab, not installed here" in section["reason"]
    assert "pip install -e '.[labels]'" in section["claims"][0]["sentence"]


def test_the_page_shows_the_doubted_pictures() -> None:
    given, logits, _ = answers(500, margin=3.0, wrong=0.05, seed=5)
    section = without_nan(label_issues_section(given, logits, NAMES, seed=0))
    figures = gallery_figures(section["pictures"], np.zeros((500, 8, 8, 3), np.uint8))
    html = render_section("label_issues", label_issues=section, figures=figures)
    assert html.count("<li class=") == len(section["pictures"]) > 5
    assert "does not show that a label is wrong" in html
