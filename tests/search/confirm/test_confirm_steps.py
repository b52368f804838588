"""A confirmation whose trainings are over: what is concluded, journalled, printed, refused."""

import json
from pathlib import Path

import pytest

from search.confirm import __main__ as confirm
from search.confirm.grid import ConfirmationPlan, choose_candidates, settle_plan
from search.confirm.steps import confirm as run_steps
from search.confirm.steps import notes, read_confirmation, train_final, winners_checkpoints
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from tests.helpers.confirmed import confirmed_record, search_record
from trainables.errors import UserError
from trainables.models.weights import weights_id
from trainables.storage import journal

SETTINGS = Settings(data="synthetic", train_size=200, val_size=100)
TRIALS = (
    {"values": [0.1, 0.2, 0.3, 0.80]},
    {"values": [0.1, 0.2, 0.79, 0.5]},
    {"values": [0.1, 0.85], "status": "stopped"},
)
FIGURES = [[0.76, 0.78, 0.74], [0.75, 0.78, 0.75]]


def write_journal(path: Path, record: RunRecord) -> None:
    """The events that tell a record."""
    for trial in record.trials.values():
        told = {"trial": trial.number}
        journal.append(path, "started", config=trial.config, params={}, **told)
        for report in trial.reports:
            journal.append(path, "reported", report=report, **told)
        if trial.ended:
            journal.append(path, trial.status, **told)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run whose trainings with fresh seeds have all ended, as a kill after the last leaves it."""
    run = RunFolder(tmp_path / "run")
    run.root.mkdir()
    weights = {"id": weights_id("resnet18", "embedded")}
    experiment = {"format_version": 1, "settings": SETTINGS.to_dict(), "weights": weights}
    run.experiment.write_text(json.dumps(experiment))
    searched = search_record(*TRIALS)
    write_journal(run.journal, searched)
    plan = settle_plan(run.confirm, searched, 0, top=2, seeds=3)
    write_journal(RunFolder(run.confirm).journal, confirmed_record(plan, FIGURES))
    return run


def plan_of(run: RunFolder):
    return settle_plan(run.confirm, RunRecord.read(run.journal), 0, top=None, seeds=None)


def confirmed_events(run: RunFolder) -> list[dict]:
    return [event for event in journal.read(run.journal) if event["event"] == "confirmed"]


def test_what_is_trained_is_concluded_without_a_cluster(run: RunFolder, capsys):
    run_steps(run, plan_of(run), SETTINGS, final=False)
    told = capsys.readouterr().out
    assert "cluster" not in told
    result = json.loads(run.confirmation.read_text())
    assert [row["figures"] for row in result["configurations"]] == FIGURES
    (event,) = confirmed_events(run)
    assert event["winner"] == result["winner"]
    assert f"verdict      {result['verdict']}" in told
    assert f"report       .venv/bin/python -m analysis.report {run.root}" in told


def test_once_more_prints_the_same_and_writes_nothing(run: RunFolder, capsys):
    run_steps(run, plan_of(run), SETTINGS, final=False)
    first, before = capsys.readouterr().out, run.confirmation.read_bytes()
    run_steps(run, plan_of(run), SETTINGS, final=False)
    assert capsys.readouterr().out == first
    assert run.confirmation.read_bytes() == before
    assert len(confirmed_events(run)) == 1


def test_an_event_that_a_kill_kept_from_the_journal_is_written_afterwards(run: RunFolder):
    run_steps(run, plan_of(run), SETTINGS, final=False)
    lines = run.journal.read_text().splitlines(keepends=True)
    run.journal.write_text("".join(lines[:-1]))
    run_steps(run, plan_of(run), SETTINGS, final=False)
    assert len(confirmed_events(run)) == 1


def test_the_winners_checkpoints_stay_and_a_kill_in_between_is_made_up_for(run: RunFolder, capsys):
    plan = plan_of(run)
    for number, (candidate, _) in plan.grid.cells().items():
        checkpoint = f"checkpoint_{candidate.epoch:04d}"
        path = run.confirm / "trials" / f"trial_{number:04d}" / checkpoint
        path.mkdir(parents=True)
    run_steps(run, plan, SETTINGS, final=False)
    result = json.loads(run.confirmation.read_text())
    kept = {run.root / entry["path"] for entry in result["checkpoints"]}
    assert [entry["seed"] for entry in result["checkpoints"]] == list(plan.seeds)
    assert set(run.confirm.glob("trials/*/checkpoint_*/")) == kept
    left = run.confirm / "trials" / "trial_0099" / "checkpoint_0003"  # of a session cut short
    left.mkdir(parents=True)
    run_steps(run, plan, SETTINGS, final=False)
    assert set(run.confirm.glob("trials/*/checkpoint_*/")) == kept


def test_without_a_winner_no_checkpoint_is_named(run: RunFolder):
    assert winners_checkpoints(plan_of(run), None) == []


def test_a_damaged_result_is_told_with_the_way_out(run: RunFolder):
    run.confirmation.write_text("{")
    with pytest.raises(UserError, match=r"confirm.json cannot be read .* without training"):
        read_confirmation(run)


def test_the_notes_say_who_is_no_candidate_and_why():
    searched = search_record(*TRIALS, {"values": [0.1], "status": "running"})
    found = notes(_plan(searched, top=3), searched)
    assert found == [
        "2 configurations instead of 3: the search has finished no more",
        "the best epoch of the search is of trial 2, which did not finish (stopped): it is no "
        "candidate",
        "1 of the search's trials have not ended and are left out",
    ]
    gone_on = search_record(*TRIALS, {"values": [0.9]})
    assert "has other best trials now" in notes(_plan(searched, top=2), gone_on)[-1]
    assert notes(_plan(gone_on, top=3), gone_on) == []


def _plan(searched: RunRecord, *, top: int) -> ConfirmationPlan:
    return ConfirmationPlan(
        top=top, candidates=choose_candidates(searched, top), seeds=(1000, 1001)
    )


def test_no_final_model_without_a_winner(run: RunFolder):
    result = {"winner": None, "verdict": "no configuration came through"}
    with pytest.raises(UserError, match=r"--final: no configuration .* a confirmation with"):
        train_final(run, result, SETTINGS)


def test_a_final_model_of_another_winner_is_neither_shown_nor_overwritten(run: RunFolder):
    run.final.write_text('{"trial": 7}')
    result = {"winner": 1, "configurations": [{"trial": 0}, {"trial": 1}]}
    with pytest.raises(UserError, match=r"is of trial 7, .* takes trial 1; delete final/"):
        train_final(run, result, SETTINGS)
    assert run.final.read_text() == '{"trial": 7}'


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--top", "0"], "--top is 0; allowed: 1 to 100"),
        (["--seeds", "1"], "--seeds is 1; allowed: 2 to 100"),
        (["--seeds", "5"], "--seeds is 5, but"),
        (["--cpus-per-trial", "0"], "--cpus-per-trial is 0.0; allowed: more than 0"),
    ],
)
def test_faulty_flags_change_nothing(run: RunFolder, flags: list[str], words: str):
    before = sorted(run.root.rglob("*"))
    with pytest.raises(UserError) as caught:
        confirm.main([str(run.root), *flags])
    assert caught.value.faults[0].startswith(words)
    assert [p for p in sorted(run.root.rglob("*")) if p.name != ".lock"] == before


def test_another_folder_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is no run folder"):
        confirm.main([str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
