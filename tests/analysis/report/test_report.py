"""The whole command on a real, tiny checkpoint and real image files."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.report import __main__ as report
from analysis.run.predict import progress_lines
from tests.helpers.fabricate import CHECKPOINT, edit_json, fail_all
from tests.helpers.tiny_run import CLASSES, FRESH_SEEDS, confirm_tiny_run, make_tiny_run
from trainables.command import run_main
from trainables.models.checkpoints import load_checkpoint
from trainables.storage import journal


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_run(tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    monkeypatch.setattr(sys, "argv", ["report.py", *arguments])
    try:
        status = run_main(report.main)
    except SystemExit as end:
        status = int(end.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.timeout(180)
def test_the_whole_command(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    confirm_tiny_run(run)
    for opening in (1, 2):
        status, out, err = call(
            monkeypatch, capsys, str(run), "--num-resamples", "200", "--device", "cpu"
        )
        assert (status, err) == (0, "")
        written = json.loads((run / "report" / "report.json").read_text())
        assert out.splitlines()[-2:] == [
            written["verdict"]["sentence"],
            str(run / "report" / "index.html"),
        ]
        assert written["model"]["test_openings"]["count"] == opening
    events = journal.read(run / "journal.jsonl")
    assert [(e["event"], e["by"]) for e in events] == [("test_opened", "analysis.report")] * 2

    table = pd.read_parquet(run / "report" / "predictions.parquet")
    assert list(table.columns) == ["index", "label", *(f"logit/{name}" for name in CLASSES)]
    right = table.filter(like="logit/").to_numpy().argmax(axis=1) == table["label"]
    assert written["verdict"]["accuracy"]["value"] == pytest.approx(right.mean())
    assert written["verdict"]["num_images"] == 12
    assert written["systematic"]["fresh"] == {
        "trial": 3, "seeds": [*FRESH_SEEDS], "reason": None
    }  # fmt: skip
    assert "a class has 4 test images" in written["label_issues"]["reason"]
    page = (run / "report" / "index.html").read_text()
    assert f"python -m analysis.report {run} --num-resamples 200 --device cpu" in page
    assert sorted(path.name for path in (run / "report").iterdir()) == [
        "index.html",
        "predictions.parquet",
        "report.json",
        "variants.parquet",
    ]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: (run / CHECKPOINT / "state.json").write_text("{"), "cannot be read"),
        (
            lambda run: edit_json(run / "experiment.json", class_names=["blue", "green", "pink"]),
            "allowed: those of the run, blue, green, pink",
        ),
        (
            lambda run: edit_json(
                run / "experiment.json",
                data={"source": "imagefolder:/no/such/folder", "train_size": 12, "val_size": 6},
            ),
            "is not a folder",
        ),
    ],
)
def test_a_fault_found_before_the_test_is_opened(
    run: Path,
    damage: object,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(run)  # type: ignore[operator]
    status, out, err = call(monkeypatch, capsys, str(run))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert words in err
    assert not (run / "journal.jsonl").exists()
    assert not (run / "report").exists()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda run: shutil.rmtree(run / CHECKPOINT),
            "the checkpoint of trial 3 is not there (trials/",
        ),
        (fail_all, "no trial has finished an epoch (6 failed)"),
        (
            lambda run: spoil_weights(run / CHECKPOINT),
            "the checkpoint's logits of 6 of 6 images are not finite",
        ),
    ],
)
def test_nothing_to_ask_leaves_a_report_on_the_search_and_the_test_sealed(
    run: Path,
    damage: Callable[[Path], object],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(run)
    status, out, err = call(monkeypatch, capsys, str(run), "--num-resamples", "200")
    assert (status, err) == (0, "")
    assert "could not be tested: " in out
    assert reason in out
    written = json.loads((run / "report" / "report.json").read_text())
    assert written["verdict"]["word"] == "NOT TESTED"
    assert not written["verdict"]["passed"]
    assert written["search"]["num_trials"] == 6
    assert sorted(path.name for path in (run / "report").iterdir()) == ["index.html", "report.json"]
    assert not (run / "journal.jsonl").exists()


def spoil_weights(checkpoint: Path) -> None:
    """Put NaN in place of the head's weights of a checkpoint, whole otherwise."""
    saved = load_checkpoint(checkpoint)
    model = {name: value.clone() for name, value in saved.model.items()}
    for name, value in model.items():
        if name.startswith("head"):
            value.fill_(float("nan"))
    replace(saved, model=model).save(checkpoint)


@pytest.mark.timeout(30)
def test_another_test_than_the_audited_one(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_json(run / "experiment.json", test_hash="0" * 64)
    status, _, err = call(monkeypatch, capsys, str(run))
    assert status == 2
    assert f"allowed: {'0' * 64}, as audited before the search" in err
    assert len(journal.read(run / "journal.jsonl")) == 1  # the look counts


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "error: run is 'nowhere'; allowed: a folder with experiment.json"),
        (["nowhere", "--batch-size", "0"], "error: --batch-size is 0; allowed: 1 or more"),
        (["nowhere", "--num-resamples", "9"], "error: --num-resamples is 9; allowed: 100 or more"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = call(monkeypatch, capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(words)


def test_help_names_the_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = call(monkeypatch, capsys, "--help")
    assert status == 0
    for words in ("--device", "bootstrap draws behind each interval"):
        assert words in out


def test_progress_says_how_far(capsys: pytest.CaptureFixture[str]) -> None:
    report_progress = progress_lines(2000)
    report_progress(1000)
    report_progress(2000)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("predicted   2,000 of 2,000 images")
