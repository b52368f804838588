"""The words of a command line and the keys of a settings file, before they are settings."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.settings.command_line import (
    CALL_TYPES,
    NOT_IN_A_FILE,
    TYPES,
    Call,
    parse_call,
    parse_settings,
    read_settings_file,
    word_faults,
)
from search.settings.groups import GPUS_AUTO, GROUPS, flag_of
from search.settings.settings import PRESETS, Settings, preset_settings
from trainables.errors import UserError


def written(folder: Path, values: dict[str, Any]) -> str:
    lines = [
        f"{name.replace('_', '-')} = {json.dumps(value)}"  # TOML writes these as JSON does
        for name, value in values.items()
        if name not in NOT_IN_A_FILE
    ]
    path = folder / "run.toml"
    path.write_text("\n".join(lines))
    return str(path)


def test_every_setting_is_declared_once_in_one_group():
    names = [field.name for group in GROUPS for field in fields(group)]
    assert sorted(names) == sorted(field.name for field in fields(Settings)) == sorted(TYPES)
    assert len(set(names)) == len(names)
    assert sorted(CALL_TYPES) == sorted(field.name for field in fields(Call))


def test_every_setting_has_its_line_in_help(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        parse_settings(["--help"])
    told = capsys.readouterr().out
    assert all(f"{flag_of(name)} " in told or f"{flag_of(name)}," in told for name in TYPES)
    assert max(map(len, told.splitlines())) <= 80
    boxes = told.split("╭")[1:]
    assert all(box.count("\n") <= 24 for box in boxes)  # each fits a screen


@pytest.mark.parametrize("preset", PRESETS)
def test_all_settings_can_be_written_in_a_file(preset, tmp_path):
    expected = Settings(**preset_settings(preset))
    path = written(tmp_path, expected.to_dict())
    assert parse_settings(["--config", path]) == expected


@settings(max_examples=20)
@given(
    num_trials=st.integers(1, 10**6),
    max_hours=st.floats(0, 1e6) | st.integers(0, 100),
    diagnose=st.booleans(),
    gpus=st.sampled_from(["auto", 0, 0.25, 2]),
)
def test_a_file_gives_what_it_holds(tmp_path_factory, num_trials, max_hours, diagnose, gpus):
    values = {
        "num_trials": num_trials,
        "max_hours": max_hours,
        "diagnose": diagnose,
        "gpus_per_trial": gpus,
    }
    path = written(tmp_path_factory.mktemp("file"), values)
    read = read_settings_file(Path(path))
    expected = GPUS_AUTO if gpus == "auto" else gpus
    assert read == {**values, "gpus_per_trial": expected}
    assert isinstance(read["max_hours"], float)
    Settings(**read)


def test_flags_go_over_the_file_and_the_file_over_the_preset(tmp_path):
    path = written(tmp_path, {"preset": "demo", "num_trials": 5, "seed": 3, "diagnose": True})
    found = parse_settings(["--config", path, "--seed", "4", "--no-diagnose"])
    assert (found.num_trials, found.seed, found.diagnose) == (5, 4, False)
    assert found.data == "synthetic"
    assert parse_settings(["--config", path, "--preset", "laptop"]).data == "cifar10"


def test_what_is_of_the_call_is_no_setting():
    found, call = parse_call(["--dry-run", "--json", "--debug"])
    assert (found.dry_run, call.json, call.debug) == (True, True, True)


@pytest.mark.parametrize(
    "words",
    [["--seed=3"], ["--train_size", "100"], ["--no-diagnose"], ["--gpus-per-trial", "auto"],
     ["--max-hours", "1e1"], ["--name", "-x"], ["--json"]],
)  # fmt: skip
def test_what_is_well_written_has_no_fault(words):
    assert list(word_faults(words, CALL_TYPES)) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--resume=yes"], "--resume=yes has a value; allowed: --resume alone"),
        (["--no-resume"], "--no-resume is unknown"),
        (["--seed", "--name", "x"], "--seed came without a value"),
        (["--seed", "1.5"], "--seed is '1.5'; allowed: a whole number"),
        (["--gpus-per-trial", "most"], "allowed: a number, or auto"),
    ],
)
def test_a_fault_of_a_word(words, told):
    (fault,) = word_faults(words, CALL_TYPES)
    assert told in fault


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("num-trials = true", "num-trials is True; allowed: a whole number"),
        ("num-trials = 3.0", "num-trials is 3.0; allowed: a whole number"),
        ("seed = '3'", "seed is '3'; allowed: a whole number"),
        ("diagnose = 1", "diagnose is 1; allowed: true or false"),
        ("[data]\nsource = 'synthetic'", "data is a table; allowed: data = a text"),
        ("gpus-per-trial = 'most'", "allowed: a number, or auto"),
        ("dry-run = true", "dry-run is of one call"),
        ("config = 'other.toml'", "config is unknown"),
    ],
)
def test_a_fault_of_a_key(text, told, tmp_path):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(UserError, match=told):
        read_settings_file(tmp_path / "run.toml")
