"""What the report says of a confirmation, with a confirm.json as `search.confirm` makes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.page import svg
from analysis.run.reader import read_run
from search.confirm.conclusion import conclude
from search.confirm.grid import ConfirmationPlan, choose_candidates
from tests.helpers import examined
from tests.helpers.confirmed import confirmed_record, search_record
from tests.helpers.fabricate import make_predictions
from trainables.errors import UserError

pytestmark = pytest.mark.timeout(30)  # seven figures a page

FIGURES = [[0.88, 0.90, 0.89], [0.90, 0.87, 0.89]]
RECALLS = [0.9, 0.95, 0.8, 0.7, 0.85, 0.8, 0.95, 0.9, 0.95, 0.9]


def confirmation(
    figures: list[list[float | None]] = FIGURES, *, best: int = 3, top: int = 2
) -> dict[str, Any]:
    """The made-up run's: trial 3 is its checkpoint's, trial 0 the other that finished."""
    values = {trial: [0.1, 0.2] for trial in range(4)} | {best: [0.1, 0.93], 0: [0.1, 0.91]}
    searched = search_record(
        *({"values": values[t], "status": "finished" if t in (0, best) else "stopped"}
          for t in range(4))
    )  # fmt: skip
    plan = ConfirmationPlan(
        top=top, candidates=choose_candidates(searched, top), seeds=(1000, 1001, 1002)
    )
    return conclude(plan, confirmed_record(plan, figures), searched, seed=0)


def report_on(folder: Path) -> dict[str, Any]:
    return examined.report_on(folder, *make_predictions(RECALLS, images_per_class=30))


def write(folder: Path, values: dict[str, Any]) -> None:
    (folder / "confirm.json").write_text(json.dumps(values))


def section(page: str) -> str:
    return page.partition('<section id="confirmation">')[2].partition("</section>")[0]


def test_the_meter_runs_from_the_selected_figure_to_the_test(run_folder: Path) -> None:
    write(run_folder, confirmation())
    report = report_on(run_folder)
    meter = report["confirmation"]["meter"]
    assert (meter["trial"], report["confirmation"]["reported_trial"]) == (3, 3)
    assert meter["selected"] == 0.93
    assert meter["fresh_mean"] == pytest.approx(0.89)
    assert meter["test"] == report["verdict"]["macro_f1"]
    assert meter["fresh_to_test"] == pytest.approx(meter["test"]["value"] - 0.89)
    page = examined.page_of(report)
    told = section(page)
    assert report["confirmation"]["verdict"][1:] in told
    assert "93.0" in told
    assert "-4.0<small>s.e. 1.2</small>" in told
    assert page.count("<svg") == 16
    assert "fresh seeds of the configuration" not in page
    assert "come from the pool that the search drew from" in page


def test_a_test_figure_of_another_trial_does_not_stand_beside_the_meter(run_folder: Path) -> None:
    write(run_folder, confirmation(best=1))
    report = report_on(run_folder)
    assert report["confirmation"]["meter"]["trial"] == 1
    assert report["confirmation"]["meter"]["test"] is None
    told = section(examined.page_of(report))
    assert "The test figure of this report is of another trial" in told
    assert "best checkpoint, which is of trial 3" in told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (confirmation([[None, 0.9, 0.9]] * 2), "No configuration came through all fresh seeds"),
        (confirmation([[0.9, None, 0.9], FIGURES[1]]), "out: failed with seed 1001: out of luck"),
        (confirmation([FIGURES[0]], top=1), "no other configuration"),
    ],
)
def test_a_confirmation_with_less_to_show(
    run_folder: Path, values: dict[str, Any], words: str
) -> None:
    write(run_folder, values)
    assert words in section(examined.page_of(report_on(run_folder)))


def test_a_run_that_was_not_confirmed_says_so(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = report_on(run_folder)
    assert report["confirmation"] is None
    monkeypatch.setattr(svg, "draw_svg", lambda draw, **sizes: "<svg></svg>")
    page = examined.page_of(report)
    assert "This run was not confirmed" in section(page)
    assert "fresh seeds of the configuration" in page


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "cannot be read"), ('{"seeds": []}', "lacks method, configurations, comparisons")],
)
def test_a_damaged_confirmation_is_a_fault_of_the_run(
    run_folder: Path, text: str, words: str
) -> None:
    (run_folder / "confirm.json").write_text(text)
    with pytest.raises(UserError, match=words):
        read_run(run_folder)
