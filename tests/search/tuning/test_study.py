"""What Optuna is asked and told, on a study on disk."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers._tpe.sampler import _split_trials
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from search.records.record import RunLog
from search.tuning.study import Asked, JournaledStudy, open_study, study_storage
from spaces.dimensions import parameters
from spaces.full import full
from spaces.warm_start import PriorResult, exact_point
from trainables.config import FineTuneConfig
from trainables.errors import UserError

BASE = FineTuneConfig(head_epochs=1, finetune_epochs=3)
KERNELS = ("nearest", "bilinear", "bicubic", "lanczos")


def kernels(trial: Any, base: FineTuneConfig) -> FineTuneConfig:
    """A space of four configurations."""
    return replace(base, interpolation=trial.suggest_categorical("interpolation", KERNELS))


class Session:
    """A driver on a run folder: the study and the journal that goes before it."""

    def __init__(self, folder: Path, space: Any = full, **settings: Any) -> None:
        self.path = folder / "study.log"
        self.log = RunLog(folder / "journal.jsonl")
        self.study = JournaledStudy(
            lambda trial: space(trial, BASE),
            storage=study_storage(self.path),
            log=self.log,
            **{"seed": 0, "num_startup_trials": 3} | settings,
        )

    def ask(self) -> Asked | None:
        asked = self.study.ask()
        if asked and asked.number not in self.log.record.trials:
            self.log.write("started", trial=asked.number, config=asked.config.to_dict(), params={})
        return asked

    def report(self, number: int, epoch: int, value: float, **more: object) -> None:
        report = {"epoch": epoch, "val_macro_f1": value, **more}
        self.log.write("reported", trial=number, report=report)
        self.study.on_epoch(self.log.record, self.log.record.trials[number], report)

    def end(self, number: int, status: str = "finished", **fields: object) -> None:
        self.log.write(status, trial=number, **fields)
        self.study.on_end(self.log.record, self.log.record.trials[number])

    @property
    def told(self) -> list[FrozenTrial]:
        return open_study(self.path).trials


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path)


def test_a_finished_trial_is_complete_with_its_best_epochs_value(session: Session):
    session.ask()
    for epoch, value in ((1, 0.5), (2, 0.7), (3, 0.6)):
        session.report(0, epoch, value)
    session.end(0)
    (trial,) = session.told
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.7)
    assert trial.intermediate_values == {1: 0.5, 2: 0.7, 3: 0.6}


def test_a_trial_that_asha_stopped_is_pruned_with_all_its_values(session: Session):
    session.ask()
    session.report(0, 1, 0.3)
    session.report(0, 2, 0.4)
    session.end(0, "stopped", rung=1)
    (trial,) = session.told
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.3, 2: 0.4}
    assert not any(trial.constraints.values())


@pytest.mark.parametrize(
    ("status", "fields", "constraint"),
    [
        ("failed", {"kind": "out_of_memory", "cause": "no memory"}, "out_of_memory"),
        ("diverged", {}, "diverged"),
    ],
)
def test_what_cannot_be_trained_is_infeasible(session: Session, status, fields, constraint):
    session.ask()
    session.end(0, status, **fields)
    (trial,) = session.told
    assert (trial.state, trial.constraints) == (TrialState.PRUNED, {constraint: 1.0})


def test_tpe_keeps_away_from_what_is_infeasible(tmp_path: Path):
    # Runs out of memory above 0.01 and is worth more the nearer it is to that.
    session = Session(tmp_path, num_startup_trials=8)
    for _ in range(8):
        asked = session.ask()
        if asked.config.head_lr > 0.01:
            session.end(asked.number, "failed", kind="out_of_memory", cause="no memory")
        else:
            session.report(asked.number, 1, asked.config.head_lr)
            session.end(asked.number)
    failed = [trial for trial in session.told if trial.constraints]
    assert 0 < len(failed) < 8
    # The split that TPE models: the good against the rest, which has all that is infeasible.
    good, rest = _split_trials(open_study(session.path), session.told, n_below=4)
    assert {trial.number for trial in failed} <= {trial.number for trial in rest}
    assert len(good) == 4


def test_any_other_failure_is_told_with_its_cause(session: Session):
    session.ask()
    session.end(0, "failed", kind="error", cause="RuntimeError: boom")
    (trial,) = session.told
    assert (trial.state, trial.user_attrs["cause"]) == (TrialState.FAIL, "RuntimeError: boom")


def test_a_restarted_search_goes_on_with_the_interrupted_trials_first(session: Session):
    session.ask()
    interrupted = session.ask()
    session.report(1, 1, 0.5)
    session.report(0, 1, 0.2)
    session.end(0, "stopped", rung=1)

    again = Session(session.path.parent)
    assert again.ask() == interrupted
    again.report(1, 2, 0.4)
    again.end(1)
    assert again.ask().number == 2
    states = [trial.state for trial in again.told]
    assert states == [TrialState.PRUNED, TrialState.COMPLETE, TrialState.RUNNING]
    assert again.told[1].value == 0.5


def test_a_study_that_a_kill_left_behind_the_journal_catches_up(session: Session):
    session.ask()
    session.ask()
    session.report(0, 1, 0.5)
    # The journal has an epoch and two ends that the study was not told of any more.
    log = session.log
    log.write("reported", trial=0, report={"epoch": 2, "val_macro_f1": 0.6})
    log.write("finished", trial=0)
    log.write("failed", trial=1, kind="out_of_memory", cause="no memory")

    again = Session(session.path.parent)
    first, second = again.told
    assert (first.state, first.value) == (TrialState.COMPLETE, 0.6)
    assert first.intermediate_values == {1: 0.5, 2: 0.6}
    assert second.constraints == {"out_of_memory": 1.0}
    assert again.ask().number == 2


@pytest.mark.parametrize(
    ("file", "lines_kept", "told"),
    [
        ("journal.jsonl", 2, r"journal.jsonl ends before the other's trial 0"),
        ("study.log", 1, r"study.log ends before the other's trial 0"),
    ],
)
def test_a_cut_file_is_refused(session: Session, file, lines_kept, told):
    session.ask()
    session.report(0, 1, 0.5)
    session.end(0)
    path = session.path.parent / file
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines_kept]))
    with pytest.raises(UserError, match=told):
        Session(session.path.parent)


def play(folder: Path, seed: int, *, restart_after: int | None = None) -> list[Asked]:
    """Ask and tell eight trials; each is worth its head rate."""
    folder.mkdir()
    session, asked = Session(folder, seed=seed), []
    for number in range(8):
        if number == restart_after:
            session = Session(folder, seed=seed)
        asked.append(session.ask())
        session.report(number, 4, asked[-1].config.head_lr)
        session.end(number)
    return asked


@pytest.mark.timeout(30)
def test_one_seed_asks_the_same_even_across_a_restart(tmp_path: Path):
    first = play(tmp_path / "a", 0)
    assert play(tmp_path / "b", 0, restart_after=5) == first
    assert play(tmp_path / "c", 1) != first


def test_a_sampler_warns_of_nothing(session: Session):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.ask()
        session.report(0, 1, 0.5)
        session.end(0)
        session.ask()


def test_a_new_study_asks_the_runs_own_settings_first_and_once(tmp_path: Path):
    session = Session(tmp_path, first=[parameters(BASE)])
    assert session.ask().config == BASE
    assert session.ask().config != BASE
    assert len(Session(tmp_path, first=[parameters(BASE)]).told) == 2


def test_points_of_a_start_that_was_cut_short_are_not_lost(tmp_path: Path):
    points = [{"interpolation": kernel} for kernel in KERNELS]
    Session(tmp_path, kernels, first=points[:2])  # killed before the third
    session = Session(tmp_path, kernels, first=points)
    assert [session.ask().config.interpolation for _ in points] == list(KERNELS)


def test_a_duplicate_is_answered_from_the_record_and_a_finite_space_ends(tmp_path: Path):
    session = Session(tmp_path, kernels, first=[{"interpolation": k} for k in KERNELS])
    for number, value in enumerate((0.1, 0.4, 0.3, 0.2)):
        assert session.ask().number == number
        session.report(number, 1, value)
        session.end(number, "finished" if value > 0.1 else "stopped")
    assert session.ask() is None
    told = session.told
    assert len(session.log.record.answered) == len(told) - 4 > 0
    for number, original in session.log.record.answered.items():
        assert told[number].params == told[original].params
        assert told[number].state == told[original].state
        assert told[number].intermediate_values == told[original].intermediate_values


def test_a_duplicate_of_a_running_trial_waits_for_it_even_across_a_restart(tmp_path: Path):
    twice = [{"interpolation": "bicubic"}] * 2 + [{"interpolation": "nearest"}]
    session = Session(tmp_path, kernels, first=twice)
    assert [session.ask().number, session.ask().number] == [0, 2]
    assert session.told[1].state == TrialState.RUNNING
    again = Session(tmp_path, kernels, first=twice)
    assert [again.ask().number, again.ask().number] == [0, 2]
    again.report(0, 1, 0.7)
    again.end(0)
    assert (again.told[1].state, again.told[1].value) == (TrialState.COMPLETE, 0.7)
    assert again.log.record.answered == {1: 0}


def test_what_failed_for_no_known_reason_is_tried_again(tmp_path: Path):
    twice = [{"interpolation": "bicubic"}] * 2
    session = Session(tmp_path, kernels, first=twice)
    session.ask()
    session.end(0, "failed", kind="error", cause="the worker died")
    assert session.ask().number == 1


def test_known_results_open_a_study_conditional_settings_included(tmp_path: Path):
    config = FineTuneConfig(
        head_epochs=1, finetune_epochs=3, cutmix_probability=0.3, cutmix_alpha=1.0, head_lr=0.002
    )
    point = PriorResult(
        config=config.to_dict(),
        params=exact_point(full, BASE, config),
        state="COMPLETE",
        value=0.8,
        values={1: 0.5, 4: 0.8},
    )
    assert PriorResult.from_dict(point.to_dict()) == point
    log = RunLog(tmp_path / "journal.jsonl")
    log.write("warm_started", source="runs/x", points=[point.to_dict()], first=[parameters(config)])
    session = Session(tmp_path)
    (known, waiting) = session.told
    assert (known.state, known.value, known.params) == (TrialState.COMPLETE, 0.8, point.params)
    assert waiting.state == TrialState.WAITING
    asked = session.ask()  # the point asked first is a duplicate of the known one
    assert (asked.number, session.log.record.answered) == (2, {1: 0})
    assert len(Session(tmp_path).told) == 3


def test_a_configuration_outside_the_space_is_no_known_point():
    assert exact_point(kernels, BASE, FineTuneConfig(head_lr=0.5)) is None


def test_a_study_in_memory_keeps_no_file():
    study = JournaledStudy(
        lambda trial: full(trial, BASE), storage=InMemoryStorage(), seed=0, num_startup_trials=3
    )
    assert study.ask().number == 0
