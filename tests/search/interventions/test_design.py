"""What is trained around a winner, and how the command line comes to it."""

import json

import pytest

from search.interventions.design import InterventionDesign, design_around
from search.settings.command_line import parse_settings
from search.settings.settings import Settings
from tests.helpers.around import WINNER, make_winner
from trainables.config import FineTuneConfig
from trainables.errors import UserError


@pytest.fixture
def run(tmp_path):
    settings = {"train_size": 500, "seed": 5, "num_trials": 7, "max_hours": 2.0}
    return make_winner(tmp_path / "mine", **settings)


def parsed(run, *flags: str) -> Settings:
    return parse_settings(["--space", "interventions", "--around", str(run.root), *flags])


def designed(run, *flags: str) -> InterventionDesign:
    settings = parsed(run, *flags)
    design = design_around(settings, settings.base_config(precision="float32"))
    assert design is not None
    return design


def test_data_weights_resolution_and_epochs_are_the_winners_unless_told_otherwise(run):
    settings = parsed(run, "--head-epochs", "1")
    assert (settings.data, settings.train_size, settings.seed) == ("synthetic", 500, 5)
    assert (settings.resolution, settings.head_epochs, settings.finetune_epochs) == (96, 1, 5)
    assert settings.precision == "float32"
    assert settings.storage == str(run.root.parent)
    assert (settings.max_hours, settings.name, settings.preset) == (0.0, "", "demo")


def test_the_baseline_is_the_winner_and_no_arm_ends_early(run):
    design = designed(run)
    assert list(design.arms) == [
        *("baseline", "pair_weights", "hard_mining", "cutmix", "placebo")  # embedded: no ResNet-50
    ]
    changed = {"early_stopping_epochs": 0, "seed": 5, "batch_size": WINNER.batch_size}
    assert design.arms["baseline"] == WINNER.to_dict() | changed
    assert design.arms["hard_mining"]["pair"] == "cat+dog"
    assert design.arms["placebo"]["pair"] == "deer+ship"
    assert all(arm["last_epoch"] == 0 for arm in design.arms.values())


def test_every_arm_meets_every_seed_and_no_seed_is_the_searchs(run):
    design = designed(run, "--seeds", "2", "--arms", "cutmix")
    assert list(design.arms) == ["baseline", "cutmix", "placebo"]
    assert len(design.seeds) == 2
    assert not {0, 5} & set(design.seeds)
    items = list(design.items())
    assert [item["number"] for item in items] == list(range(6)) == list(design.grid.cells())
    met = {(item["params"]["arm"], item["config"]["seed"]) for item in items}
    assert met == {(arm, seed) for arm in design.arms for seed in design.seeds}
    assert [item["config"]["seed"] for item in items[:3]] == [design.seeds[0]] * 3
    assert design.grid.cells()[4] == ("cutmix", design.seeds[1])
    configs = [FineTuneConfig.from_dict(item["config"]) for item in items]
    assert len(set(configs)) == 6


def test_the_precision_of_this_machine_reaches_every_arm_and_changes_nothing_else(run):
    design = designed(run)
    again = design.with_precision("bf16")
    assert {arm["precision"] for arm in again.arms.values()} == {"bf16"}
    assert again.with_precision("float32") == design


def test_a_design_survives_the_record(run):
    design = designed(run)
    experiment = json.loads(json.dumps({"interventions": design.to_dict()}))
    assert InterventionDesign.of(experiment) == design
    assert InterventionDesign.of({}) is None


def test_an_arm_that_is_none_is_refused(run):
    with pytest.raises(UserError, match="--arms names 'resnet50'; allowed: pair_weights, hard_min"):
        designed(run, "--arms", "cutmix,resnet50")


def test_a_winner_that_aims_already_is_no_baseline(tmp_path):
    aimed = FineTuneConfig(hard_mining_share=0.2, pair="cat+dog")
    run = make_winner(tmp_path / "mine", config=aimed)
    with pytest.raises(UserError, match=r"aims at cat\+dog already"):
        designed(run)


def test_a_run_without_a_winner_is_refused_before_all_else(run):
    run.best.unlink()
    with pytest.raises(UserError, match=r"has no best\.json: no trial finished an epoch"):
        parsed(run)


def test_without_around_there_is_no_design():
    settings = Settings()
    assert design_around(settings, settings.base_config(precision="float32")) is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"space": "full"}, "--around came with --space full; allowed: --space interventions"),
        ({"aim": "cat"}, "--aim is 'cat'; allowed: two different classes, such as cat,dog"),
        ({"aim": "cat,cat"}, "--aim is 'cat,cat'; allowed: two different classes"),
        ({"seeds": 1}, "--seeds is 1; allowed: 2 to 100"),
        ({"max_hours": 1.0}, "--max-hours came with --around"),
        ({"warm_start": "decks"}, "--warm-start came with --around"),
        ({"around": "", "aim": "cat,dog"}, "--aim came without a run"),
        ({"around": "", "arms": "cutmix"}, "--arms came without a run"),
    ],
)
def test_a_fault_of_the_settings_names_value_and_way_out(settings, told):
    with pytest.raises(UserError) as caught:
        Settings(**{"space": "interventions", "around": "runs/mine", **settings})
    assert told in str(caught.value)
