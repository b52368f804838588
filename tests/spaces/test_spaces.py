"""Named spaces: what they may suggest, and that every draw can be trained and written down."""

import json
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FixedTrial
from torchvision.models import get_model

from spaces import dimensions
from spaces.dimensions import parameters
from spaces.interventions import RUN_SETTINGS
from spaces.registry import NAMED, load_space
from tests.helpers.draws import ANY_SPACE, BASES, draw
from trainables.config import CHOICES, FineTuneConfig
from trainables.errors import UserError
from trainables.models.network import trainable_layers
from trainables.models.weights import check_weights

SEEDS = st.integers(0, 2**31 - 1)
SUITED = [
    (name, base)
    for name in NAMED
    for base in BASES
    if not (name == "interpolation" and base == "native")
    and not (name == "backbone" and base in ("laptop", "native"))
    and not (name == "decks" and base in ("laptop", "native", "deep"))
]


@pytest.mark.parametrize(("name", "base"), SUITED)
@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_every_draw_can_be_trained_written_down_and_found_again(name, base, seed):
    config = draw(name, seed, BASES[base])
    assert check_weights(config.backbone, config.weights) == []
    kept = [n for n in RUN_SETTINGS if (name, n) != ("interpolation", "resolution_px")]
    assert [getattr(config, n) for n in kept] == [getattr(BASES[base], n) for n in kept]
    assert FineTuneConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert again(name, config, BASES[base]) == config


def again(name: str, config: FineTuneConfig, base: FineTuneConfig) -> FineTuneConfig:
    """What a configuration's parameters lead to; Optuna's warnings of values out of range count."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return load_space(name)(FixedTrial(json.loads(json.dumps(parameters(config)))), base)


@pytest.mark.parametrize(
    ("name", "base"),
    [pair for pair in SUITED if pair[0] in ("core", "full", "interpolation", "interventions")],
)
def test_a_runs_own_settings_lie_in_the_space(name, base):
    assert again(name, BASES[base], BASES[base]) == BASES[base]


@pytest.mark.parametrize("name", NAMED)
def test_a_space_says_its_command_its_cost_and_what_it_is_for(name):
    text = " ".join(load_space(name).__doc__.split())
    for part in (f"--space {name}", "Cost: ", "trials x", "two cores", "one H200", "For: "):
        assert part in text
    assert text.index("Estimate") < text.index("two cores")


def varied(name: str, base: FineTuneConfig = ANY_SPACE) -> set[str]:
    configs = [draw(name, seed, base).to_dict() for seed in range(60)]
    return {n for n in configs[0] if len({str(config[n]) for config in configs}) > 1}


FOUR = {"unfreeze", "backbone_lr_ratio", "interpolation", "cutmix_probability"}


def test_core_varies_exactly_the_four():
    assert varied("core") == FOUR


def test_full_varies_all_that_the_run_does_not_fix():
    fixed = {*RUN_SETTINGS, "backbone", "weights", "pair", "pair_factor", "organic"}
    assert varied("full") == set(ANY_SPACE.to_dict()) - fixed


def test_designs_vary_nothing_else():
    assert varied("backbone") == {"backbone", "backbone_lr_ratio"}
    assert varied("backbone", BASES["imagenet"]) == {"backbone", "backbone_lr_ratio", "weights"}
    assert varied("interpolation") == {"interpolation", "resolution_px", "backbone_lr_ratio"}
    arms = {"backbone", "class_weights", "hard_mining_share", "cutmix_probability"}
    assert varied("interventions") == arms


def test_what_has_no_effect_at_native_resolution_is_not_asked():
    assert varied("core", BASES["native"]) == FOUR - {"interpolation"}


def test_phase_2_too_short_for_four_stages_is_not_cut_into_them():
    assert "unfreeze_mode" not in varied("full", BASES["short"])
    assert "early_stopping_epochs" not in varied("full", BASES["short"])


@given(seed=SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_setting_that_means_nothing_alone_is_asked_only_beside_its_partner(seed):
    config, base = draw("full", seed), ANY_SPACE
    if not config.cutmix_probability:
        assert config.cutmix_alpha == base.cutmix_alpha
    if not config.mixup_probability:
        assert config.mixup_alpha == base.mixup_alpha
    if config.class_weights != "deformable":
        assert config.deformable_factor == base.deformable_factor
    if config.unfreeze in ("top5", "top10", "stage4"):
        assert config.layer_decay == 1.0
    if config.schedule in ("onecycle", "cosine"):
        assert config.early_stopping_epochs == 0
    if config.optimizer == "sgd":
        assert config.weight_decay <= 1e-3
    else:
        assert config.head_lr <= 2e-2


@pytest.mark.parametrize("switch", ["cutmix_probability", "mixup_probability", "hard_mining_share"])
def test_a_share_is_off_in_about_half_of_the_trials(switch):
    off = sum(getattr(draw("full", seed), switch) == 0 for seed in range(100))
    assert 30 < off < 70  # 100 throws of a coin: four standard deviations


@pytest.mark.timeout(30)
@pytest.mark.parametrize("backbone", CHOICES["backbone"])
def test_depths_that_reach_below_the_top_stage_are_known_without_a_model(backbone):
    with torch.device("meta"):
        model = get_model(backbone, weights=None)
    model.fc = torch.nn.Identity()
    for unfreeze in CHOICES["unfreeze"]:
        stages = {name.partition(".")[0] for name, _ in trainable_layers(model, unfreeze)}
        assert dimensions.unfreezes_several_stages(backbone, unfreeze) == (stages != {"layer4"})


@pytest.mark.parametrize(
    ("name", "base", "told"),
    [
        ("backbone", BASES["laptop"], "'embedded', which is not for resnet34.*--weights imagenet"),
        ("decks", BASES["laptop"], "'embedded', which is not for resnet50.*--weights imagenet"),
        ("decks", BASES["deep"], "'imagenet-v2', which is not for resnet18"),
        ("backbone", FineTuneConfig(weights="mine.pth"), "'mine.pth', which is not for resnet18"),
        ("interpolation", BASES["native"], "every kernel does the same.*--resolution 64"),
    ],
)
def test_a_space_that_does_not_suit_the_run_says_the_way_out(name, base, told):
    with pytest.raises(UserError, match=told):
        draw(name, 0, base)


def test_a_backbone_has_a_choice_of_weights_only_where_there_are_two():
    drawn = {
        (config.backbone, config.weights)
        for config in (draw("backbone", seed, BASES["imagenet"]) for seed in range(40))
    }
    assert drawn == {
        ("resnet18", "imagenet-v1"),
        ("resnet34", "imagenet-v1"),
        ("resnet50", "imagenet-v1"),
        ("resnet50", "imagenet-v2"),
    }


def test_the_runs_own_backbone_is_always_an_arm():
    drawn = {draw("backbone", seed, BASES["deep"]).backbone for seed in range(40)}
    assert drawn == {"resnet18", "resnet34", "resnet50", "resnet101"}
