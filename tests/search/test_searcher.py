"""What Optuna is told, on a study on disk."""

import warnings
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.searcher import TruthfulOptunaSearch, end_state, open_study
from spaces.dimensions import parameters
from spaces.full import full
from trainables.config import FineTuneConfig

BASE = FineTuneConfig(head_epochs=1, finetune_epochs=3)


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    return tmp_path / "study.log"


def searcher(path: Path, *, seed: int = 0) -> TruthfulOptunaSearch:
    return TruthfulOptunaSearch(
        lambda trial: full(trial, BASE), study_path=path, seed=seed, num_startup_trials=3
    )


def result(epoch: int, value: float | None, **more: object) -> dict:
    return {"epoch": epoch, "val_macro_f1": value, "training_iteration": 1, **more}


def test_a_finished_trial_is_complete_with_its_best_epochs_value(study_path: Path):
    search = searcher(study_path)
    search.suggest("a")
    search.on_trial_result("a", result(1, 0.5))
    search.on_trial_result("a", result(2, 0.7))
    search.on_trial_complete("a", result(3, 0.6, finished=True))
    (trial,) = open_study(study_path).trials
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.7)
    assert trial.intermediate_values == {1: 0.5, 2: 0.7, 3: 0.6}


def test_a_trial_that_asha_stopped_is_pruned_with_all_its_values(study_path: Path):
    search = searcher(study_path)
    search.suggest("a")
    search.on_trial_result("a", result(1, 0.3))
    search.on_trial_complete("a", result(2, 0.4, finished=False))  # the stopping report
    (trial,) = open_study(study_path).trials
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.3, 2: 0.4}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_value_that_is_no_number_fails_the_trial_and_not_the_run(study_path, value):
    search = searcher(study_path)
    search.suggest("a")
    search.on_trial_result("a", result(1, value))
    search.on_trial_complete("a", result(1, value))
    (trial,) = open_study(study_path).trials
    assert (trial.state, trial.intermediate_values) == (TrialState.FAIL, {})


def test_errors_and_divergence_are_failures():
    assert end_state({}, error=True) == TrialState.FAIL
    assert end_state(result(2, 0.1, diverged=True), error=False) == TrialState.FAIL


def test_a_restarted_search_goes_on_with_the_interrupted_trials_first(study_path: Path):
    search = searcher(study_path)
    search.suggest("a")
    interrupted = search.suggest("b")
    search.on_trial_result("b", result(1, 0.5))
    search.on_trial_complete("a", result(1, 0.2))

    again = searcher(study_path)
    assert again.suggest("new id") == interrupted
    again.on_trial_result("new id", result(1, 0.5))  # told again after the resume
    again.on_trial_complete("new id", result(2, 0.4, finished=True))
    assert again.suggest("next")["number"] == 2
    states = [trial.state for trial in open_study(study_path).trials]
    assert states == [TrialState.PRUNED, TrialState.COMPLETE, TrialState.RUNNING]
    assert open_study(study_path).trials[1].value == 0.5


def test_an_end_that_is_told_twice_changes_nothing(study_path: Path):
    # A study ahead of Tune's snapshot ended Ray's searcher with UpdateFinishedTrialError (trap 5).
    search = searcher(study_path)
    search.suggest("a")
    search.on_trial_complete("a", result(1, 0.5, finished=True))
    search.on_trial_complete("a", result(1, 0.1, finished=True))
    assert open_study(study_path).trials[0].value == 0.5


def play(path: Path, seed: int, *, restart_after: int | None = None) -> list[dict]:
    """Ask and tell eight trials; each is worth its head rate."""
    search, asked = searcher(path, seed=seed), []
    for number in range(8):
        if number == restart_after:
            search = searcher(path, seed=seed)
        asked.append(search.suggest(str(number)))
        value = asked[-1]["config"]["head_lr"]
        search.on_trial_complete(str(number), result(4, value, finished=True))
    return asked


@pytest.mark.timeout(30)
def test_one_seed_asks_the_same_even_across_a_restart(tmp_path: Path):
    first = play(tmp_path / "a.log", 0)
    assert play(tmp_path / "b.log", 0, restart_after=5) == first
    assert play(tmp_path / "c.log", 1) != first


def test_a_sampler_warns_of_nothing(study_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = searcher(study_path)
        search.suggest("a")
        search.on_trial_result("a", result(1, 0.5))
        search.on_trial_complete("a", result(1, 0.5, finished=True))
        search.suggest("b")


def test_a_new_study_asks_the_runs_own_settings_first(study_path: Path):
    def with_defaults() -> TruthfulOptunaSearch:
        return TruthfulOptunaSearch(
            lambda trial: full(trial, BASE),
            study_path=study_path,
            seed=0,
            num_startup_trials=3,
            first=[parameters(BASE)],
        )

    search = with_defaults()
    assert FineTuneConfig.from_dict(search.suggest("a")["config"]) == BASE
    assert FineTuneConfig.from_dict(search.suggest("b")["config"]) != BASE
    assert len(open_study(study_path).trials) == 2
    with_defaults()  # a restart asks them no second time
    assert len(open_study(study_path).trials) == 2
