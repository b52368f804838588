"""How a space is found, and what is refused before a search starts."""

import optuna
import pytest

from spaces.registry import check_space, load_space, quiet_study
from tests.helpers.draws import ANY_SPACE, BASES
from trainables.config import FineTuneConfig
from trainables.errors import UserError

HERE = "tests.spaces.test_registry"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("huge", "space is 'huge'; allowed: core, full, .* or module:function"),
        ("no_module:f", "cannot be imported"),
        ("spaces.core:no_function", "cannot be imported"),
        ("spaces.registry:NAMED", "not a function"),
    ],
)
def test_a_space_that_is_not_there_is_refused(name, told):
    with pytest.raises(UserError, match=told):
        load_space(name)


def test_a_users_own_space_is_found_and_suits():
    space = check_space("tests.helpers.spaces:good_and_bad", ANY_SPACE)
    assert space.__name__ == "good_and_bad"


def deep_and_wide(trial, base: FineTuneConfig) -> FineTuneConfig:
    trial.suggest_categorical("backbone", ("resnet18", "resnet50"))
    return FineTuneConfig(backbone=trial.params["backbone"], weights="embedded")


def out_of_bounds(trial, base: FineTuneConfig) -> FineTuneConfig:
    return FineTuneConfig(dropout=trial.suggest_float("dropout", 0.5, 5.0))


def forgetful(trial, base: FineTuneConfig) -> None:
    trial.suggest_float("dropout", 0.0, 0.5)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (f"{HERE}:deep_and_wide", "deep_and_wide: weights is 'embedded' with backbone 'resnet50'"),
        (f"{HERE}:out_of_bounds", "out_of_bounds: dropout is .*; allowed: 0.0 to 0.9"),
        (f"{HERE}:forgetful", "returned None; allowed: a FineTuneConfig"),
        ("backbone", "--space backbone: weights is 'embedded'.*use --weights imagenet"),
    ],
)
def test_a_space_that_draws_what_cannot_be_trained_is_refused_before_it_is_searched(name, told):
    with pytest.raises(UserError, match=told):
        check_space(name, BASES["laptop"])


def test_a_rehearsal_is_silent_and_leaves_optunas_verbosity_alone(capfd):
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        quiet_study(seed=0).ask()
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(verbosity)
    assert capfd.readouterr().err == ""
