"""A report where there is nothing to ask: which sections stay, and what the others say."""

import json
import re
from pathlib import Path

import pytest

from analysis.page import svg
from analysis.report.contents import build_untested_report
from analysis.report.page import render_html
from analysis.run.reader import read_run
from tests.helpers.examined import making_of, report_on
from tests.helpers.fabricate import CIFAR10, fail_all, make_predictions, make_run

REASON = "the checkpoint's logits of 3 of 9 images are not finite"


@pytest.fixture(autouse=True)
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes seconds a page, and only the words are looked at."""
    monkeypatch.setattr(svg, "draw_svg", lambda draw, **sizes: "<svg></svg>")


def untested_report(folder: Path) -> dict:
    report = build_untested_report(read_run(folder), REASON, making_of())
    return json.loads(json.dumps(report, allow_nan=False))


def test_the_search_is_told_as_in_a_whole_report(run_folder: Path) -> None:
    whole = report_on(run_folder, *make_predictions([0.8] * 10, images_per_class=20))
    report = untested_report(run_folder)
    for name in ("search", "importance", "effects", "anytime", "early_stopping", "trajectory"):
        assert report[name] == whole[name]
    page = render_html(report, {})
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert REASON[1:] in page.replace("&#39;", "'")


@pytest.mark.parametrize("class_names", [CIFAR10, ("apple", "pear", "plum")])
def test_the_claims_are_those_of_a_whole_report(
    tmp_path: Path, class_names: tuple[str, ...]
) -> None:
    folder = make_run(tmp_path, class_names=class_names)
    recalls = [0.8] * len(class_names)
    whole = report_on(folder, *make_predictions(recalls, images_per_class=20))
    report = untested_report(folder)
    asked = {row["claim"] for row in whole["claims"]["rows"]}
    told = {row["claim"]: row for row in report["claims"]["rows"]}
    missing = asked - set(told)
    assert all("because of their backgrounds" in claim for claim in missing)
    assert set(told) <= asked
    of_answers = [row for row in told.values() if row["sentence"] == f"Not tested: {REASON}."]
    assert {row["verdict"] for row in of_answers} == {"NOT TESTED"}
    anchors = {section["id"] for section in report["untested"]["sections"]}
    assert {row["section"].replace("_", "-") for row in of_answers} <= anchors


def test_nothing_is_made_up(run_folder: Path) -> None:
    report = untested_report(run_folder)
    assert report["verdict"]["macro_f1"] is None
    assert report["verdict"]["accuracy"] is None
    assert not report["verdict"]["passed"]
    assert REASON in report["limits"][0]
    assert report["swot"]["strengths"] == []


def test_no_trial_has_finished_an_epoch(run_folder: Path) -> None:
    fail_all(run_folder)
    report = untested_report(run_folder)
    assert report["trajectory"] is None
    assert report["search"]["selection"] is None
    assert {row["verdict"] for row in report["claims"]["rows"]} == {"NOT TESTED"}
    page = render_html(report, {})
    assert "6 trials (6 failed): no trial has finished an epoch" in page
    assert "none was selected" in page
