"""The page holds what report.json holds, escapes it, and asks nothing of the network."""

import re
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from analysis.page import environment as formats
from analysis.page import svg
from tests.helpers.examined import page_of, report_on
from tests.helpers.fabricate import CIFAR10, HEAD_EPOCHS, edit_json, make_predictions, make_run
from trainables.storage import journal

pytestmark = pytest.mark.timeout(30)  # six figures a page, each laid out by matplotlib

RECALLS = [0.9, 0.95, 0.8, 0.7, 0.85, 0.8, 0.95, 0.9, 0.95, 0.9]


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes seconds a page: spare it where only the words are looked at."""
    monkeypatch.setattr(svg, "draw_svg", lambda draw, **sizes: "<svg></svg>")


def test_page_of_a_whole_run(run_folder: Path) -> None:
    report = report_on(run_folder, *make_predictions(RECALLS, images_per_class=100))
    page = page_of(report)
    for expected in (
        report["verdict"]["sentence"],
        "opened once, for this report",
        "8d2c41f0b7aa35e1c09d44ab1be2a7705cf3e9d2",
        "python -m search.run --space two_phase",
        "312",
        'class="mark rigid"',
        *(f"<li>{sentence}</li>" for sentence in report["limits"] if "'" not in sentence),
    ):
        assert expected in page
    assert page.count("<svg") == 15
    assert page.count("Made by <code>python -m analysis.report runs/made-up</code>") == 24
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_page_needs_no_network(run_folder: Path) -> None:
    page = page_of(report_on(run_folder, *make_predictions(RECALLS, images_per_class=20)))
    addresses = set(re.findall(r'https?://[^"\s<]+', page))
    assert addresses == {"http://www.w3.org/1999/xlink"}  # a name, never fetched
    assert set(re.findall(r'href="([^"]{1})', page)) == {"#"}
    assert set(re.findall(r'src="([^"]{15})', page)) == {"data:image/webp"}
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "<script" not in page
    assert "@import" not in page


def test_equal_input_gives_equal_bytes(run_folder: Path) -> None:
    labels, logits = make_predictions(RECALLS, images_per_class=20)
    first, second = (report_on(run_folder, labels, logits) for _ in range(2))
    second["created"] = first["created"]
    assert page_of(first) == page_of(second)


@pytest.mark.parametrize("share_right", [0.0, 1.0])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_all_right_and_all_wrong(tmp_path: Path, num_classes: int, share_right: float) -> None:
    folder = make_run(tmp_path, class_names=CIFAR10[:num_classes])
    labels, logits = make_predictions([share_right] * num_classes, images_per_class=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = report_on(folder, labels, logits)
        page = page_of(report)
    assert report["verdict"]["macro_f1"]["value"] == share_right
    assert ("No image was confused." in page) == (share_right == 1.0)
    assert any("have no width" in sentence for sentence in report["limits"])


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize("images_per_class", [1, 3])
def test_hardly_any_images_and_constant_logits(run_folder: Path, images_per_class: int) -> None:
    labels, logits = make_predictions(RECALLS, images_per_class=images_per_class)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = report_on(run_folder, labels, np.zeros_like(logits))
        page = page_of(report)
    assert report["verdict"]["accuracy"]["value"] == 0.1
    decided = [row for row in report["claims"]["rows"] if row["verdict"] == "CONFIRMED"]
    assert decided == []
    assert "could not be tested with these data" in page


def test_classes_absent_from_the_test(run_folder: Path) -> None:
    labels, logits = make_predictions(RECALLS, images_per_class=20)
    logits[:, 9] = -100
    seen = labels < 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = report_on(run_folder, labels[seen], logits[seen])
        page = page_of(report)
    assert report["per_class"]["absent"] == ["ship", "truck"]
    assert report["per_class"]["classes"][9]["f1"] == {"value": None, "lower": None, "upper": None}
    assert "The test has no image of ship, truck." in page


def test_a_hundred_classes(tmp_path: Path) -> None:
    names = tuple(f"class {k:02}" for k in range(100))
    folder = make_run(tmp_path, class_names=names)
    labels, logits = make_predictions([0.8] * 100, images_per_class=4)
    report = report_on(folder, labels, logits, num_resamples=100)
    page = page_of(report)
    assert len(report["confusion"]["counts"]) == len(report["pairs"]["counts"]) == 40
    assert len(report["per_class"]["classes"]) == 100
    assert "The 40 of 100 classes with the lowest F1" in page
    assert report["pairs"]["num_pairs"] == 4950
    assert len(page) < 6_000_000  # bytes
    (claim,) = [row for row in report["claims"]["rows"] if row["claim"].startswith("Rigid")]
    assert claim["verdict"] == "NOT TESTED"


def test_names_are_escaped(run_folder: Path) -> None:
    names = ["<script>alert(1)</script>", *CIFAR10[1:]]
    edit_json(run_folder / "experiment.json", class_names=names, name="<b>bold</b>")
    report = report_on(run_folder, *make_predictions(RECALLS, images_per_class=20))
    page = page_of(report)
    assert "<script" not in page
    assert "<b>bold" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.usefixtures("without_figures")
def test_a_run_that_knows_little(run_folder: Path) -> None:
    (run_folder / "audit.json").unlink()
    edit_json(run_folder / "experiment.json", git_commit=None, versions={}, hardware={})
    report = report_on(run_folder, *make_predictions(RECALLS, images_per_class=20))
    page = page_of(report)
    assert "its data were not audited" in page
    assert "commit not recorded" in page


@pytest.mark.usefixtures("without_figures")
def test_a_test_that_was_opened_before(tmp_path: Path) -> None:
    folder = make_run(tmp_path, num_openings=3)
    report = report_on(folder, *make_predictions(RECALLS, images_per_class=20))
    assert "opened 3 times; this report is the last" in page_of(report)
    assert any("opened 3 times" in sentence for sentence in report["limits"])


@pytest.mark.usefixtures("without_figures")
def test_many_trials_fold(tmp_path: Path) -> None:
    folder = make_run(tmp_path, num_trials=25)
    report = report_on(folder, *make_predictions(RECALLS, images_per_class=20))
    page = page_of(report)
    assert "5 more trials</summary>" in page
    assert page.count('<span class="tag">winner</span>') == 1


def spare(folder: Path, spared: range, num_trials: int) -> None:
    """Make up that ASHA condemned trials after their first epoch of phase 2, and spared some."""
    settings = {"grace_epochs": 1, "reduction_factor": 3.0, "finetune_epochs": 10}
    edit_json(folder / "experiment.json", settings={**settings, "late_bloomers": 0.5})
    condemned = {"rung": 1, "epoch": HEAD_EPOCHS + 1}
    planned = {"head_epochs": HEAD_EPOCHS, "finetune_epochs": 10}
    reported = {"epoch": HEAD_EPOCHS + 1, "phase2_epoch": 1, "val_macro_f1": 0.5}
    for trial in range(num_trials):
        write = partial(journal.append, folder / "journal.jsonl", trial=trial)
        write("started", config=planned, params={})
        write("reported", report=reported)
        if trial in spared:
            write("spared", **condemned)
        elif trial % 6 in (1, 2, 4):
            write("stopped", by="asha", **condemned)


def test_what_early_stopping_cost(tmp_path: Path) -> None:
    folder = make_run(tmp_path, num_trials=72)
    spare(folder, range(6, 72, 6), 72)  # half of those that finished
    report = report_on(folder, *make_predictions(RECALLS, images_per_class=20))
    page = page_of(report)
    told = report["early_stopping"]
    assert (told["num_stopped"], told["num_spared_ended"]) == (36, 11)
    assert "ASHA condemned 47 trials" in page
    assert "Each stands for\n    4.3 of the condemned" in page
    assert page.count("<svg") == 18
    assert told["regret"]["verdict"] in page
    assert [row["epoch"] for row in told["ranking"]["epochs"] if row["is_rung"]] == [1, 3, 9]


@pytest.mark.usefixtures("without_figures")
def test_early_stopping_with_few_or_no_spared_trials(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    predictions = make_predictions(RECALLS, images_per_class=20)
    assert "--late-bloomers 0.3" in page_of(report_on(folder, *predictions))
    spare(folder, range(0, 1), 6)
    page = page_of(report_on(folder, *predictions))
    assert "1 spared trial is too few, 10 the least" in page


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (formats.percent(0.12345), "12.3"),
        (formats.percent(None), "\N{EN DASH}"),
        (formats.points(-0.0123), "-1.2"),
        (formats.number(12345), "12,345"),
        (formats.number(0.5, 2, "+"), "+0.50"),
        (formats.interval({"value": 0.5, "lower": 0.4, "upper": 0.61}), "40.0\N{EN DASH}61.0"),
        (formats.interval({"value": None, "lower": None, "upper": None}), ""),
        (formats.setting(0.000123456), "0.000123"),
        (formats.setting("all"), "all"),
    ],
)
def test_formats(told: str, expected: str) -> None:
    assert told == expected
