"""The decks' recipes, the interventions around a winner, and the points asked first."""

import itertools
import warnings
from dataclasses import replace

import pytest
from optuna.trial import FixedTrial

from spaces.core import core
from spaces.decks import DECKS, deck_configs, deck_of, decks
from spaces.full import full
from spaces.interventions import aimed_arms, arms, around, interventions
from spaces.registry import NAMED, Space, load_space, quiet_study
from spaces.warm_start import deck_points, first_asked
from tests.helpers.draws import ANY_SPACE, BASES, draw
from trainables.config import FineTuneConfig


def test_any_two_decks_contradict_each_other():
    for a, b in itertools.combinations(DECKS.values(), 2):
        assert any(a[setting] != b[setting] for setting in a.keys() & b.keys())


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_is_known_by_its_recipe(deck):
    config = deck_configs(ANY_SPACE)[deck]
    assert deck_of(config) == deck
    assert deck_of(replace(config, cutmix_probability=0.31)) is None


def test_no_deck_is_known_in_other_settings():
    assert all(deck_of(base) is None for base in BASES.values())


@pytest.mark.parametrize("base", ["laptop", "imagenet", "any space"])
@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_lies_in_full_on_the_runs_own_backbone(deck, base):
    config = deck_configs(BASES[base])[deck]
    (point,) = (p for p in deck_points(full, BASES[base]) if p["deck"] == deck)
    assert full(FixedTrial(point), BASES[base]) == replace(config, backbone=BASES[base].backbone)


@pytest.mark.parametrize("name", ["core", "full", "interpolation", "backbone"])
def test_every_deck_is_a_starting_point_of_the_spaces_that_vary_settings(name):
    assert [p["deck"] for p in deck_points(load_space(name), ANY_SPACE)] == list(DECKS)


def test_core_takes_the_four_of_a_deck():
    (point,) = (p for p in deck_points(core, ANY_SPACE) if p["deck"] == "D")
    config = core(FixedTrial(point), ANY_SPACE)
    assert config == replace(ANY_SPACE, unfreeze="top20", interpolation="bilinear")


WINNER = FineTuneConfig(weights="none", cutmix_probability=0.31, head_lr=0.004, resolution_px=96)


def test_an_arm_differs_from_the_control_in_one_thing():
    named = arms(WINNER)
    assert list(named) == [
        "resnet18+cutmix",
        "resnet18+balanced+cutmix",
        "resnet18+deformable+cutmix",
        "resnet18+hard_mining+cutmix",
        "resnet18",  # the winner had CutMix: its arm is to go without
        "resnet50+cutmix",
    ]
    control, *others = (config.to_dict() for config in named.values())
    assert control == WINNER.to_dict()
    assert all(len(other.items() - control.items()) == 1 for other in others)


def test_an_intervention_around_a_winner_keeps_the_runs_own_resolution_and_epochs():
    config = around(WINNER)(FixedTrial({"arm": "resnet18+cutmix"}), ANY_SPACE)
    kept = {"head_epochs": 1, "finetune_epochs": 6, "resolution_px": 64}
    assert config == replace(WINNER, **kept)


def changed(control: FineTuneConfig, arm: FineTuneConfig) -> dict[str, object]:
    return dict(arm.to_dict().items() - control.to_dict().items())


def test_aimed_arms_differ_from_the_winner_in_what_their_name_says():
    named = aimed_arms(WINNER, "cat+dog", "ship+frog")
    assert {name: changed(WINNER, arm) for name, arm in named.items()} == {
        "baseline": {},
        "pair_weights": {"class_weights": "pair", "pair": "cat+dog"},
        "hard_mining": {"hard_mining_share": 0.25, "pair": "cat+dog"},
        "no_cutmix": {"cutmix_probability": 0.0},
        "resnet50": {"backbone": "resnet50"},
        "placebo": {"hard_mining_share": 0.25, "pair": "ship+frog"},
    }


def test_the_placebo_is_hard_mining_in_all_but_its_aim():
    miner = replace(WINNER, hard_mining_share=0.4)
    for winner, share in ((WINNER, 0.25), (miner, 0.4)):
        named = aimed_arms(winner, "cat+dog", "ship+frog")
        assert changed(named["hard_mining"], named["placebo"]) == {"pair": "ship+frog"}
        assert named["placebo"].hard_mining_share == share


def test_an_arm_that_changes_nothing_is_left_out():
    mixed = FineTuneConfig(mixup_probability=1.0)  # no batch is left for CutMix
    assert list(aimed_arms(mixed, "cat+dog", "ship+frog")) == [
        *("baseline", "pair_weights", "hard_mining", "placebo")
    ]


@pytest.mark.parametrize(
    ("backbone", "weights", "other"),
    [
        ("resnet18", "embedded", None),
        ("resnet18", "mine.pth", None),
        ("resnet18", "imagenet-v1", ("resnet50", "imagenet-v1")),
        ("resnet50", "imagenet", ("resnet18", "imagenet")),
        ("resnet50", "imagenet-v2", ("resnet18", "imagenet")),
    ],
)
def test_the_other_backbone_is_an_arm_where_weights_exist_for_it(backbone, weights, other):
    configs = arms(FineTuneConfig(backbone=backbone, weights=weights)).values()
    others = [(c.backbone, c.weights) for c in configs if c.backbone != backbone]
    assert others == ([other] if other else [])


@pytest.mark.parametrize("mixup_probability", [0.1, 0.49, 0.7, 1.0])
def test_cutmix_takes_the_room_that_mixup_leaves(mixup_probability):
    configs = arms(FineTuneConfig(mixup_probability=mixup_probability))
    shares = [c.cutmix_probability for name, c in configs.items() if "cutmix" in name]
    room = min(0.5, 1 - mixup_probability)
    assert shares == ([room] if room else [])


def asked_first(space: Space, base: FineTuneConfig) -> list[FineTuneConfig]:
    """The configurations that a study gets when the points asked first are enqueued in it."""
    study, points = quiet_study(seed=0), first_asked(space, base)
    for point in points:
        study.enqueue_trial(point)
    return [space(study.ask(), base) for _ in points]


def test_a_design_is_asked_every_arm_in_its_order():
    assert asked_first(decks, ANY_SPACE) == list(deck_configs(ANY_SPACE).values())
    assert asked_first(interventions, ANY_SPACE) == list(arms(ANY_SPACE).values())
    run = replace(ANY_SPACE, resolution_px=WINNER.resolution_px)
    control, *others = asked_first(around(WINNER), run)
    assert (control.head_lr, control.cutmix_probability, len(others)) == (0.004, 0.31, 5)


@pytest.mark.parametrize("name", ["core", "full", "interpolation", "backbone"])
def test_another_space_is_asked_the_runs_own_settings(name):
    assert asked_first(load_space(name), ANY_SPACE) == [ANY_SPACE]


def another_depth(trial, base: FineTuneConfig) -> FineTuneConfig:
    trial.suggest_float("head_lr", 1e-3, 1e-2)
    depth = trial.suggest_categorical("unfreeze", ("top5", "stage4"))
    return replace(base, unfreeze=depth)


def another_rate(trial, base: FineTuneConfig) -> FineTuneConfig:
    return replace(base, head_lr=trial.suggest_float("head_lr", 0.1, 0.2))


@pytest.mark.parametrize("space", [another_depth, another_rate])
def test_settings_outside_a_users_space_are_not_asked(space):
    # Optuna would end the search on the first, and leave the range of the second.
    assert first_asked(space, ANY_SPACE) == []


@pytest.mark.parametrize("name", NAMED)
def test_points_asked_first_warn_of_nothing(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first_asked(load_space(name), BASES["imagenet"])
        deck_points(load_space(name), BASES["imagenet"])


def test_a_draw_is_a_function_of_its_seed():
    assert draw("full", 3) == draw("full", 3) != draw("full", 4)
