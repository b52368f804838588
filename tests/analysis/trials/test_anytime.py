"""Time counts while a session runs, and ASHA's decisions add up; by hand-made journals."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analysis.trials.anytime import anytime_section, best_so_far, reports_of, rungs

START = datetime(2026, 11, 20, tzinfo=UTC)
SETTINGS = {"grace_epochs": 1, "reduction_factor": 3, "finetune_epochs": 3}
CONFIG = {"head_epochs": 1, "finetune_epochs": 3}


def event(seconds: float, name: str, **fields: Any) -> dict[str, Any]:
    return {"time": (START + timedelta(seconds=seconds)).isoformat(), "event": name, **fields}


def reported(
    seconds: float, trial: int, tuned: int | None, value: float | None, **more: Any
) -> dict[str, Any]:
    figures = {"epoch": 1 + (tuned or 0), "phase": 2 if tuned else 1, **more}
    figures |= {"phase2_epoch": tuned} if tuned else {}
    figures |= {} if value is None else {"val_macro_f1": value}
    return event(seconds, "reported", trial=trial, report=figures)


def started(seconds: float, trial: int) -> dict[str, Any]:
    return event(seconds, "started", trial=trial, config=CONFIG, params={})


JOURNAL = [
    event(0, "session_started"),
    *(started(1, trial) for trial in range(4)),
    reported(10, 0, None, 0.50),
    reported(20, 1, None, 0.40),
    reported(30, 0, 1, 0.70),
    reported(40, 1, 1, 0.60),
    event(41, "stopped", trial=1, by="asha", rung=1, epoch=2),
    # killed here; taken up again an hour later
    event(3600, "session_started"),
    reported(3610, 2, 1, 0.55),
    event(3610, "spared", trial=2, rung=1, epoch=2),
    reported(3620, 0, 2, 0.705),
    reported(3630, 2, 2, 0.80),
    reported(3640, 2, 3, 0.79),
    event(3641, "finished", trial=2),
    reported(3650, 3, 1, None, diverged=True),
    event(3651, "diverged", trial=3, epoch=2),
    reported(3660, 0, 3, 0.70),
    event(3661, "finished", trial=0),
    event(3670, "session_ended"),
]


def test_time_between_sessions_does_not_count() -> None:
    assert [told.seconds for told in reports_of(JOURNAL)] == [
        *(10, 20, 30, 40),
        *(50, 60, 70, 80, 90, 100),
    ]


def test_improvements_by_time_and_by_epochs() -> None:
    steps = best_so_far(reports_of(JOURNAL))
    assert [(s["seconds"], s["epochs"], s["value"], s["trial"]) for s in steps] == [
        (10, 1, 0.50, 0),
        (30, 3, 0.70, 0),
        (60, 6, 0.705, 0),
        (70, 7, 0.80, 2),
    ]


def test_decisions_of_each_rung() -> None:
    """Trial 2 was spared at the first rung and is judged no more; trial 3 diverged unjudged."""
    first, second = rungs(JOURNAL, SETTINGS)
    assert first == {
        "epoch": 1,
        "num_judged": 3,
        "num_stopped": 1,
        "num_spared": 1,
        "num_let_on": 1,
        "saved_epochs": 2,
    }
    assert (second["epoch"], second["num_judged"], second["num_let_on"]) == (3, 1, 1)


def test_section_adds_up() -> None:
    section = anytime_section(JOURNAL, SETTINGS, num_val_images=2000)
    json.dumps(section)
    assert section["num_epochs"] == 10
    assert section["saved_epochs"] == sum(row["saved_epochs"] for row in section["rungs"]) == 2
    assert section["saved_share"] == pytest.approx(2 / 12)
    assert section["first_close"]["value"] == 0.80
    (claim,) = section["claims"]
    assert claim["verdict"] == "REFUTED"
    assert "2 of 12 epochs" in claim["sentence"]


def test_a_shorter_plan_saves_less() -> None:
    journal = [
        event(0, "started", trial=0, config={**CONFIG, "last_epoch": 3}, params={}),
        reported(1, 0, 1, 0.5),
        event(1, "stopped", trial=0, by="asha", rung=1, epoch=2),
    ]
    assert anytime_section(journal, SETTINGS, num_val_images=1)["saved_epochs"] == 1


def test_run_without_any_report() -> None:
    section = anytime_section([event(0, "session_started")], SETTINGS, num_val_images=2000)
    assert (section["steps"], section["saved_share"], section["first_close"]) == ([], None, None)
    assert section["claims"][0]["verdict"] == "NOT TESTED"


def test_settings_without_rungs() -> None:
    assert anytime_section(JOURNAL, {}, num_val_images=2000)["rungs"] == []


def test_undefined_values_are_no_improvement() -> None:
    journal = [reported(0, 0, None, None), reported(1, 0, None, 0.3)]
    assert [step["epochs"] for step in best_so_far(reports_of(journal))] == [2]
