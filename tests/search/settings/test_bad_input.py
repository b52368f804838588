"""Wrong input: one line with the value, what is allowed and the way out; status 2; no trace."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from search.__main__ import entry_point
from search.records.folder import RunFolder
from tests.helpers.around import make_winner
from trainables.command import run_main

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
DEMO = ("--preset", "demo", "--storage", "{tmp}/runs")
HERE = "tests.helpers.spaces"


def pictures(folder: Path, **counts: int) -> None:
    """Tiny pictures in training and test folders, so many a class."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name, count in counts.items():
            place = folder / split / name
            place.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(image).save(place / f"{number}.png")


def prepare(tmp: Path) -> None:
    """What the cases below name."""
    pictures(tmp / "one_class", cat=8)
    pictures(tmp / "rare", cat=12, dog=1)
    pictures(tmp / "own", cracked=12, whole=12)
    (tmp / "damaged.safetensors").write_bytes(b"not weights")
    (tmp / "text.png").write_text("a letter")
    (tmp / "file").write_text("")
    (tmp / "foreign").mkdir()
    (tmp / "unknown.toml").write_text("train-sise = 100\n")
    (tmp / "typed.toml").write_text('num-trials = "nine"\nresume = true\n')
    (tmp / "broken.toml").write_text("num-trials = = 9\n")
    make_winner(tmp / "winner")


CASES = {
    # What the words are.
    "unknown flag": (["--trian-size", "9"], "--trian-size is unknown", "did you mean --train-size"),
    "no number": (["--num-trials", "many"], "--num-trials is 'many'", "allowed: a whole number"),
    "no value": (["--seed"], "--seed came without a value", "allowed: a whole number"),
    "stray word": (["demo"], "demo is unknown", "--help"),
    # Single settings.
    "preset": (["--preset", "huge"], "--preset is 'huge'", "allowed: demo, laptop, cluster"),
    "data source": (["--data", "mnist"], "source is 'mnist'", "allowed: cifar10"),
    "weights": (["--weights", "imagnet"], "weights is 'imagnet'", "allowed: imagenet"),
    "negative": (["--num-trials", "-3"], "--num-trials is -3", "allowed: 1 or more"),
    "negative size": (["--val-size", "-1"], "val_size is -1", "allowed: a whole number from 1"),
    "share over 1": (["--late-bloomers", "1.5"], "--late-bloomers is 1.5", "from 0 to 1"),
    "batch 0": (["--batch-size", "0"], "--batch-size is 0", "allowed: 2 to 65536"),
    "epochs 0": (["--head-epochs", "0"], "--head-epochs is 0", "allowed: 1 to 1000"),
    "eta 1": (["--reduction-factor", "1"], "--reduction-factor is 1.0", "allowed: more than 1"),
    "late grace": (["--grace-epochs", "9"], "--grace-epochs is 9, and", "allowed: up to"),
    "cores": (["--cpus-per-trial", "nan"], "--cpus-per-trial is nan", "allowed: more than 0"),
    "name": (["--name", "a/b"], "--name is 'a/b'", "allowed: one folder name"),
    "size": (["--disk-quota", "much"], "size is 'much'", "allowed: a number and KB"),
    # Pictures and weights.
    "no folder": (["--data", "imagefolder:{tmp}/no"], "no/train is not a folder", "create it"),
    "no parquet": (["--data", "parquet:{tmp}/no"], "holds no train*.parquet", "allowed: "),
    "one class": (["--data", "imagefolder:{tmp}/one_class"], "holds 1 class (cat)",
                  "allowed: 2 to 1,000"),
    "one picture": (["--data", "imagefolder:{tmp}/rare", "--train-size", "6", "--val-size", "4",
                     "--batch-size", "2"], "class dog has 1 pictures", "add pictures or"),
    "too many": (["--data", "imagefolder:{tmp}/own"], "train_size 2,000 + val_size 500 is 2,500",
                 "allowed: at most the 24"),
    "own classes": (["--data", "imagefolder:{tmp}/own", "--train-size", "12", "--val-size", "8",
                     "--batch-size", "4", "--space", "decks"],
                    "augmentation is 'adaptive' and no class is organic", "name the classes that"),
    "organic": (["--data", "imagefolder:{tmp}/own", "--train-size", "12", "--val-size", "8",
                 "--batch-size", "4", "--organic", "cat"],
                "--organic: class 'cat' is unknown", "such as cracked, whole"),
    "damaged": (["--weights", "{tmp}/damaged.safetensors"], "cannot be read", "save it again"),
    # Spaces.
    "space": (["--space", "nope"], "space is 'nope'", "allowed: core, full"),
    "module": (["--space", "no_such_module:f"], "cannot be imported", "allowed: core, full"),
    "raising": (["--space", f"{HERE}:raising"], "fails with KeyError: 'head'", "--debug shows"),
    "forgetful": (["--space", f"{HERE}:forgetful"], "returned None", "allowed: a FineTuneConfig"),
    "signature": (["--space", f"{HERE}:without_base"], "fails with TypeError", "allowed: a func"),
    # The machine and other runs.
    "storage": (["--storage", "{tmp}/file/runs"], "--storage is", "allowed: a folder where"),
    "taken name": (["--storage", "{tmp}", "--name", "foreign"], "foreign exists", "a new name"),
    "resume nothing": (["--resume", "--name", "gone"], "gone is no run folder", "allowed: "),
    "resume nameless": (["--resume"], "--resume came without a run", "allowed: --resume --name"),
    "resume foreign": (["--storage", "{tmp}", "--resume", "--name", "foreign"],
                       "foreign is no run folder", "allowed: a folder that"),
    "warm start": (["--warm-start", "{tmp}/foreign"], "--warm-start: {tmp}/foreign is no",
                   "allowed: a folder that"),
    "around": (["--space", "interventions", "--around", "{tmp}/no"], "{tmp}/no is no run folder",
               "allowed: a folder that"),
    "aim": (["--space", "interventions", "--around", "{tmp}/winner", "--aim", "cat,cow"],
            "--aim is 'cat,cow'", "allowed: "),
    # Settings files.
    "no file": (["--config", "{tmp}/no.toml"], "--config {tmp}/no.toml cannot be read", "allowed"),
    "syntax": (["--config", "{tmp}/broken.toml"], "cannot be read (Invalid", "allowed: a TOML"),
    "unknown key": (["--config", "{tmp}/unknown.toml"], "train-sise is unknown", "train-size?"),
    "key's type": (["--config", "{tmp}/typed.toml"], "num-trials is 'nine'", "allowed: a whole"),
}  # fmt: skip
OTHERS = {
    "search.confirm": ["{tmp}/foreign"],
    "search.export": ["{tmp}/foreign"],
    "search.rerun": ["{tmp}/foreign", "0"],
    "search.replay": ["{tmp}/foreign"],
    "analysis.report": ["{tmp}/foreign"],
    "analysis.compare": ["{tmp}/foreign"],
    "trainables.predict": ["{tmp}/foreign", "{tmp}/text.png"],
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wrong")
    prepare(folder)
    return folder


@pytest.fixture
def refused(prepared, monkeypatch, capsys) -> Callable[..., str]:
    """Calls a command in this process; what it says in refusing."""

    def call(module: str, words: list[str]) -> str:
        before = contents(prepared)
        words = [word.format(tmp=prepared) for word in words]
        monkeypatch.setattr(sys, "argv", [module, *words])
        assert run_main(entry_point(module).main) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert all(line.startswith("error: ") for line in told.err.splitlines())
        assert contents(prepared) == before
        return told.err

    return call


def contents(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("case", CASES)
def test_the_search_refuses(case, refused, prepared):
    words, got, way_out = CASES[case]
    told = refused("search.run", [*DEMO, *words])
    assert got.format(tmp=prepared) in told
    assert way_out in told


@pytest.mark.parametrize("module", OTHERS)
def test_a_command_refuses_a_folder_that_is_no_run(module, refused, prepared):
    told = refused(module, OTHERS[module])
    assert str(prepared / "foreign") in told
    assert "allowed: " in told


def test_all_faults_of_a_settings_file_are_told_at_once(refused):
    told = refused("search.run", ["--config", "{tmp}/typed.toml"])
    assert len(told.splitlines()) == 2
    assert "resume is of one call; allowed: --resume on the command line" in told


def test_a_text_is_no_picture(refused, prepared):
    export = prepared / "export"
    if not export.exists():
        export.mkdir()
        (export / "config.json").write_text(
            '{"format_version": 1, "labels": ["cat"], "preprocessing": {"base_px": 32}}'
        )
    told = refused("trainables.predict", ["{tmp}/export", "{tmp}/text.png"])
    assert "text.png cannot be read" in told
    assert "replace or remove it" in told


@NO_GPU
@pytest.mark.parametrize("share", ["1", "auto"])
def test_a_gpu_that_is_not_there_is_refused(share, refused):
    told = refused("search.run", [*DEMO, "--gpus-per-trial", share])
    assert f"--gpus-per-trial {share} x --workers-per-trial 1 wants 1 GPUs" in told
    assert "allowed: --gpus-per-trial 0" in told


@pytest.mark.timeout(180)  # the audit is a process of its own
def test_what_only_the_audit_finds_leaves_nothing_behind_either(refused):
    flags = ["--train-size", "100", "--val-size", "20", "--batch-size", "32"]
    told = refused("search.run", [*DEMO, *flags])
    assert "class airplane has 2 pictures; allowed: at least 5" in told


def test_the_winner_that_the_cases_name_is_a_run(prepared):
    assert RunFolder(prepared / "winner").read_best()["trial"] == 4
