"""What a run folder must hold, and how a broken one is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.run.reader import read_run
from tests.helpers.fabricate import CHECKPOINT, edit_json, fail_all
from trainables.errors import UserError


def faults_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(UserError) as refused:
        read_run(folder)
    return refused.value.faults


def test_a_whole_run(run_folder: Path) -> None:
    run = read_run(run_folder)
    assert run.class_names[0] == "airplane"
    assert run.checkpoint == run_folder / CHECKPOINT
    assert run.audit is not None
    assert run.audit.passed
    assert len(run.trials) == 6
    assert [event["by"] for event in run.test_openings()] == ["analysis.report"]


def test_a_run_without_an_audit_or_a_journal(run_folder: Path) -> None:
    (run_folder / "audit.json").unlink()
    (run_folder / "journal.jsonl").unlink()
    run = read_run(run_folder)
    assert run.audit is None
    assert run.test_openings() == []


def test_no_run_folder(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path)
    assert fault.startswith(f"run is '{tmp_path}'; allowed: a folder with experiment.json")


def test_unknown_format(run_folder: Path) -> None:
    edit_json(run_folder / "experiment.json", format_version=2)
    (fault,) = faults_of(run_folder)
    assert "is 2; allowed: 1; read the run with the release that wrote it" in fault


def test_everything_missing_is_told_at_once(run_folder: Path) -> None:
    for name in ("best.json", "trials.parquet", "epochs.parquet"):
        (run_folder / name).unlink()
    faults = faults_of(run_folder)
    assert [Path(fault.split(" is missing")[0]).name for fault in faults] == [
        "trials.parquet",
        "epochs.parquet",
    ]
    assert all("--resume" in fault for fault in faults)


def test_no_winner_among_trials_with_epochs(run_folder: Path) -> None:
    (run_folder / "best.json").unlink()
    (fault,) = faults_of(run_folder)
    assert "best.json is missing" in fault


def test_no_trial_has_finished_an_epoch(run_folder: Path) -> None:
    fail_all(run_folder)
    run = read_run(run_folder)
    assert (run.best, run.checkpoint, len(run.epochs)) == (None, None, 0)
    assert set(run.trials["status"]) == {"failed"}


@pytest.mark.parametrize("name", ["experiment.json", "best.json", "audit.json"])
@pytest.mark.parametrize("content", ["{", "[]", "\xff"])
def test_damaged_json(run_folder: Path, name: str, content: str) -> None:
    (run_folder / name).write_text(content, encoding="latin-1")
    (fault,) = faults_of(run_folder)
    assert f"{name} cannot be read" in fault


def test_damaged_parquet(run_folder: Path) -> None:
    (run_folder / "epochs.parquet").write_bytes(b"PAR1 and no more")
    (fault,) = faults_of(run_folder)
    assert "epochs.parquet cannot be read" in fault


def test_missing_keys_and_columns(run_folder: Path) -> None:
    best = json.loads((run_folder / "best.json").read_text())
    del best["checkpoint"], best["phase"]
    (run_folder / "best.json").write_text(json.dumps(best))
    pd.DataFrame().to_parquet(run_folder / "trials.parquet")
    faults = faults_of(run_folder)
    assert "best.json lacks phase, checkpoint" in faults[0]
    assert "trials.parquet lacks trial, status" in faults[1]


@pytest.mark.parametrize("path", ["../../elsewhere", "/etc", "trials/link"])
def test_a_checkpoint_outside_the_run(run_folder: Path, path: str) -> None:
    (run_folder.parent.parent / "elsewhere").mkdir()
    (run_folder / "trials" / "link").symlink_to(run_folder.parent.parent / "elsewhere")
    edit_json(run_folder / "best.json", checkpoint=path)
    (fault,) = faults_of(run_folder)
    assert f"is {path!r}; allowed: a path inside the run folder" in fault


def test_an_unrecorded_epoch(run_folder: Path) -> None:
    edit_json(run_folder / "best.json", epoch=99)
    (fault,) = faults_of(run_folder)
    assert "names trial 3, epoch 99" in fault


def test_an_absent_checkpoint(run_folder: Path) -> None:
    edit_json(run_folder / "best.json", checkpoint="trials/gone")
    assert read_run(run_folder).checkpoint is None
