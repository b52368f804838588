"""Settings: presets, faults and the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from search.records.folder import RunFolder, choose_address
from search.settings.command_line import parse_settings
from search.settings.settings import PRESETS, Settings, preset_settings
from trainables.errors import UserError
from trainables.storage.files import write_json

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_valid(preset: str):
    settings = Settings(**preset_settings(preset))
    assert settings.preset == preset
    assert Settings(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_flags_go_over_the_preset():
    settings = parse_settings(["--preset", "demo", "--num-trials", "3"])
    assert (settings.num_trials, settings.data) == (3, "synthetic")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"preset": "huge"}, "--preset is 'huge'; allowed: demo, laptop, cluster"),
        ({"data": "mnist"}, "source is 'mnist'; allowed: cifar10, cifar10:DIR"),
        ({"data": "parquet"}, "source is 'parquet'"),
        ({"weights": "imagnet"}, "weights is 'imagnet'; allowed: imagenet, imagenet-v1"),
        ({"weights": "none.safetensors"}, "is not a file"),
        ({"backbone": "resnet20"}, "--backbone is 'resnet20'; allowed: resnet18"),
        ({"backbone": "resnet50", "weights": "embedded"}, "allowed: backbone 'resnet18'"),
        ({"precision": "fp8"}, "--precision is 'fp8'; allowed: auto, float32, bf16"),
        ({"num_trials": 0}, "--num-trials is 0; allowed: 1 or more"),
        ({"train_size": -5}, "train_size is -5"),
        ({"train_size": 64, "batch_size": 128}, "--train-size 64 is less than --batch-size 128"),
        ({"resolution": 16}, "--resolution is 16; allowed: 32 to 512"),
        ({"reduction_factor": 1.0}, "--reduction-factor is 1.0; allowed: more than 1"),
        ({"cpus_per_trial": 0.0}, "--cpus-per-trial is 0.0; allowed: more than 0"),
        ({"workers_per_trial": 3, "batch_size": 128}, "--batch-size 128 does not divide"),
        ({"resume": True}, "--resume came without a run"),
        ({"name": "../elsewhere"}, "allowed: one folder name"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_fault_names_value_and_way_out(settings: dict, told: str):
    with pytest.raises(UserError) as caught:
        Settings(**settings)
    assert told in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(UserError) as caught:
        Settings(preset="huge", num_trials=0, data="mnist")
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--preset", "nope"], "--preset is 'nope'"),
        (["--preset", "demo", "--space", "nope"], "space is 'nope'; allowed: core, full"),
        (["--space", "no_such_module:f"], "cannot be imported"),
        (["--data", "parquet:/no/such/folder", "--dry-run", "--num-trials", "0"], "--num-trials"),
    ],
)
@pytest.mark.timeout(30)
def test_the_command_line_answers_in_one_line_with_status_2(arguments, told, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "search.run", "--storage", str(tmp_path), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: ")
    assert told in run.stderr
    assert run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_exists_wants_resume(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match="exists; allowed: a new name, or --resume"):
        choose_address(str(tmp_path), "mine", "demo", resume=False)


def test_a_run_without_a_name_takes_the_first_free_one(tmp_path: Path):
    assert choose_address(str(tmp_path), "", "demo", resume=False) == str(tmp_path / "demo")
    (tmp_path / "demo").mkdir()
    assert choose_address(str(tmp_path), "", "demo", resume=False) == str(tmp_path / "demo-2")


def test_a_storage_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        choose_address(str(tmp_path / "file" / "runs"), "x", "demo", resume=False)


def recorded_run(storage: Path, **settings: object) -> Path:
    folder = RunFolder(storage / "mine")
    folder.root.mkdir()
    values = Settings(**{**preset_settings("demo"), "name": "mine", **settings}).to_dict()
    write_json(folder.experiment, {"format_version": 1, "settings": values})
    return folder.root


def test_a_resumed_run_takes_its_own_settings(tmp_path: Path):
    recorded_run(tmp_path, num_trials=5, seed=3)
    flags = ["--resume", "--name", "mine", "--storage", str(tmp_path)]
    settings = parse_settings([*flags, "--num-trials", "7"])
    assert (settings.seed, settings.num_trials, settings.preset) == (3, 7, "demo")
    with pytest.raises(UserError, match="--seed is 4, but the run was started with 3"):
        parse_settings([*flags, "--seed", "4"])


def test_a_foreign_folder_cannot_be_resumed(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match=r"is no run folder .*experiment\.json"):
        parse_settings(["--resume", "--name", "mine", "--storage", str(tmp_path)])
    with pytest.raises(UserError, match="is no run folder"):
        RunFolder(tmp_path / "mine").read_experiment()


def test_a_run_of_another_version_is_refused(tmp_path: Path):
    write_json(tmp_path / "experiment.json", {"format_version": 99})
    with pytest.raises(UserError, match="format_version 99; allowed: 1"):
        RunFolder(tmp_path).read_experiment()
