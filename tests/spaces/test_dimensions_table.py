"""docs/dimensions.md says what the code says."""

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from spaces.decks import DECKS, PLAIN
from spaces.registry import NAMED, load_space, quiet_study
from tests.helpers.draws import ANY_SPACE, BASES, draw
from trainables.classes import ORGANIC
from trainables.config import BOUNDS, CHOICES, FineTuneConfig
from trainables.models.weights import NAMES

TABLE = Path(__file__).parents[2] / "docs" / "dimensions.md"
COLUMNS = ("setting", "values", "default", "searched", "why", "decks", "spaces", "reference")
ROWS = [
    dict(zip(COLUMNS, (cell.strip() for cell in line.strip("|\n").split("|")), strict=True))
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
BY_SETTING = {row["setting"].strip("`"): row for row in ROWS}
DEFAULTS = FineTuneConfig().to_dict()
EXAMPLES = {
    "weights": NAMES,
    "pair": ("cat+dog",),
    "organic": (",".join(ORGANIC),),
}  # of settings that take any text
SWITCHES = {
    "cutmix_probability": "cutmix",
    "mixup_probability": "mixup",
    "hard_mining_share": "hard_mining",
}


def in_code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_setting_has_one_row():
    assert len(ROWS) == len(BY_SETTING)
    assert BY_SETTING.keys() == {field.name for field in fields(FineTuneConfig)}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_rows_values_and_default_are_those_of_the_configuration(name):
    row = BY_SETTING[name]
    if name in BOUNDS:
        assert row["values"] == "{} to {}".format(*BOUNDS[name])
        assert row["default"] == str(DEFAULTS[name])
    else:
        assert tuple(in_code(row["values"])) == (CHOICES | EXAMPLES)[name]
        assert in_code(row["default"]) == [DEFAULTS[name]] if DEFAULTS[name] else ["-"]


@cache
def distributions() -> dict[str, BaseDistribution]:
    """Every parameter that `full` asks for, and of the rest what `backbone` does."""
    found: dict[str, BaseDistribution] = {}
    for name in ("full", "backbone"):
        for seed in range(60):
            trial = quiet_study(seed=seed).ask()
            load_space(name)(trial, ANY_SPACE if name == "full" else BASES["imagenet"])
            found = trial.distributions | found
    return found


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_rows_searched_range_is_what_optuna_is_told(name):
    searched = distributions()
    if name not in searched:
        assert BY_SETTING[name]["searched"] == "-"
        return
    told = as_text(name, searched[name])
    if name in SWITCHES:
        assert SWITCHES[name] in searched
        told = f"0 or {told}"
    if f"{name}_sgd" in searched:
        told += f"; SGD {as_text(name, searched[f'{name}_sgd'])}"
    assert BY_SETTING[name]["searched"] == told


def as_text(name: str, distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        if choices == CHOICES.get(name):
            return "all"
        return " ".join(f"`{c}`" if isinstance(c, str) else str(c) for c in choices)
    assert isinstance(distribution, FloatDistribution)
    step = f" by {distribution.step:g}" if distribution.step else ""
    log = ", log" if distribution.log else ""
    return f"{distribution.low:g} to {distribution.high:g}{step}{log}"


@pytest.mark.parametrize("space", NAMED)
def test_a_rows_spaces_are_those_that_vary_it(space):
    drawn = [draw(space, seed, BASES["imagenet"]).to_dict() for seed in range(80)]
    varied = {name for name in DEFAULTS if len({str(config[name]) for config in drawn}) > 1}
    assert varied == {name for name, row in BY_SETTING.items() if space in in_code(row["spaces"])}


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_sets_only_what_its_rows_say_it_names(deck):
    told = {name for name, row in BY_SETTING.items() if deck in row["decks"].split()}
    silent = DEFAULTS | PLAIN  # what a deck that names it not has all the same
    assert {name for name, value in DECKS[deck].items() if value != silent[name]} <= told
