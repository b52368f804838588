"""A recorded search that is played again: the same decisions, or the first that differs."""

import json
from pathlib import Path

import pytest

from search.records.folder import RunFolder
from search.records.record import RunLog
from search.settings.settings import Settings
from search.tuning.replay import replay_search
from search.tuning.tuner import open_run_study, stopping_rule
from trainables.errors import UserError
from trainables.storage.files import write_json

SETTINGS = Settings(
    space="full", head_epochs=1, finetune_epochs=3, num_trials=12, late_bloomers=0.3, seed=2
)
BASE = SETTINGS.base_config(precision="float32")


def record_search(folder: RunFolder, *, settings: Settings = SETTINGS, sessions: int = 2) -> None:
    """Twelve trials, two at a time; a trial is worth its head rate times its epoch."""
    write_json(
        folder.experiment,
        {"format_version": 1, "settings": settings.to_dict(), "base_config": BASE.to_dict()},
    )
    for session in range(1, sessions + 1):
        log = RunLog(folder.journal)
        study, rule = open_run_study(settings, folder, BASE, log), stopping_rule(settings)
        for number, report in log.record.reports:
            rule.stops(number, report)
        while log.record.num_ended < 12 * session / sessions:
            pair = [asked for asked in (study.ask(), study.ask()) if asked]
            if not pair:
                return
            for asked in pair:
                log.write("started", trial=asked.number, config=asked.config.to_dict(), params={})
            for asked in pair:
                run_trial(asked.number, asked.config.head_lr, log, study, rule)


def run_trial(number, worth, log, study, rule) -> None:
    trial = log.record.trials[number]
    for epoch in (1, 2, 3, 4):
        report = {"epoch": epoch, "val_macro_f1": worth * (10 + epoch), "finished": epoch == 4}
        if epoch > 1:
            report["phase2_epoch"] = epoch - 1
        stops = rule.stops(number, report)
        log.write("reported", trial=number, report=report)
        if number in rule.spared and trial.spared_at is None:
            log.write("spared", trial=number, rung=rule.spared[number], epoch=epoch)
        study.on_epoch(log.record, trial, report)
        if stops:
            rung = rule.stopped[number]
            log.write("stopped", trial=number, by="asha", rung=rung, epoch=epoch)
            break
    else:
        log.write("finished", trial=number)
    study.on_end(log.record, trial)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path)
    record_search(folder)
    return folder


@pytest.mark.timeout(30)
def test_every_decision_is_made_again_across_sessions(folder: RunFolder):
    played = replay_search(folder)
    assert played.differences == []
    assert played.compared["asked"] == 12
    assert played.compared["stopped"] > 0
    assert played.compared["spared"] > 0


@pytest.mark.timeout(30)
def test_a_journal_that_was_touched_is_found_out(folder: RunFolder):
    events = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    first = next(event for event in events if event["event"] == "stopped")
    for event in events:
        if event["event"] == "reported" and event["trial"] == first["trial"]:
            event["report"]["val_macro_f1"] += 1  # the stopped trial was the best
    folder.journal.write_text("".join(json.dumps(event) + "\n" for event in events))
    played = replay_search(folder)
    assert f"trial {first['trial']} was stopped at rung: recorded 1, again None" in (
        played.differences
    )


@pytest.mark.timeout(30)
def test_answered_duplicates_are_answered_again(tmp_path: Path):
    folder = RunFolder(tmp_path)
    settings = Settings(
        space="tests.helpers.spaces:kernels", num_trials=12, head_epochs=1, finetune_epochs=3
    )
    record_search(folder, settings=settings, sessions=1)
    played = replay_search(folder)
    assert played.differences == []
    assert played.compared["answered"] > 0


def test_a_folder_without_a_search_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is no run folder"):
        replay_search(RunFolder(tmp_path))
    write_json(
        tmp_path / "experiment.json",
        {"format_version": 1, "settings": SETTINGS.to_dict(), "base_config": BASE.to_dict()},
    )
    with pytest.raises(UserError, match="has asked for no trial"):
        replay_search(RunFolder(tmp_path))
