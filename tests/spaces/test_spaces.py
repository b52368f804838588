"""Named spaces: what they may suggest, and how they are found."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import RandomSampler
from optuna.trial import FixedTrial

from spaces.core import core
from spaces.dimensions import parameters
from spaces.full import full
from spaces.registry import NAMED, load_space
from trainables.config import FineTuneConfig
from trainables.errors import UserError

BASE = FineTuneConfig(head_epochs=3, finetune_epochs=5, resolution_px=64)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def draw(space, seed: int, base: FineTuneConfig = BASE) -> FineTuneConfig:
    return space(optuna.create_study(sampler=RandomSampler(seed=seed)).ask(), base)


@pytest.mark.parametrize("name", NAMED)
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=25, deadline=None)
def test_every_draw_is_a_valid_configuration_that_keeps_the_runs_settings(name, seed):
    config = draw(load_space(name), seed)
    kept = ("backbone", "weights", "resolution_px", "head_epochs", "finetune_epochs", "seed")
    assert [getattr(config, n) for n in kept] == [getattr(BASE, n) for n in kept]


@pytest.mark.parametrize("name", NAMED)
def test_a_space_says_its_command_and_what_it_is_for(name):
    text = load_space(name).__doc__
    assert f"--space {name}" in text
    assert "For:" in text


def varied(space) -> set[str]:
    configs = [draw(space, seed).to_dict() for seed in range(40)]
    return {name for name in configs[0] if len({str(c[name]) for c in configs}) > 1}


def test_core_varies_the_four_and_full_the_rest_too():
    four = {"unfreeze", "backbone_lr_ratio", "interpolation", "cutmix_probability"}
    assert varied(core) == four
    assert varied(full) == four | {"head", "dropout", "head_lr", "weight_decay"}


def test_cutmix_is_off_in_about_half_of_the_trials():
    off = sum(draw(core, seed).cutmix_probability == 0 for seed in range(200))
    assert 70 < off < 130  # 200 throws of a coin: four standard deviations


@pytest.mark.parametrize("name", NAMED)
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=10, deadline=None)
def test_a_configurations_parameters_lead_back_to_it(name, seed):
    space = load_space(name)
    config = draw(space, seed)
    assert space(FixedTrial(parameters(config)), BASE) == config


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("huge", "space is 'huge'; allowed: core, full, or module:function"),
        ("no_module:f", "cannot be imported"),
        ("spaces.core:no_function", "cannot be imported"),
        ("spaces.registry:NAMED", "not a function"),
    ],
)
def test_a_space_that_is_not_there_is_refused(name, told):
    with pytest.raises(UserError, match=told):
        load_space(name)


def test_a_users_own_space_is_found():
    assert load_space("tests.search.tiny_space:good_and_bad").__name__ == "good_and_bad"
