"""`--weights FILE`, from where it is typed to the record of the run and the card of its export."""

import argparse
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard

from search.export.model_card import model_card
from search.records.folder import RunFolder
from search.settings.checks import check_new_run
from search.settings.command_line import parse_settings
from search.settings.settings import Settings
from search.tuning.preparation import begin
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.weight_paths import file_sha256
from trainables.models.weight_places import expected_state

DEMO = ["--preset", "demo", "--train-size", "200", "--val-size", "100"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as timm's training script leaves it, with its average; and a pickled model."""
    state = {
        n: torch.zeros((), dtype=t.dtype).expand(t.shape)
        for n, t in expected_state("resnet18").items()
    }
    whole = state | {"fc.weight": torch.zeros(7, 512)}
    content = {"epoch": 3, "args": argparse.Namespace(lr=0.1), "state_dict": whole}
    (tmp_path / "here").mkdir()
    torch.save(content, tmp_path / "here" / "mine.pth.tar")
    torch.save(content | {"state_dict_ema": state}, tmp_path / "here" / "two.pth.tar")
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "here" / "model.pt")
    return tmp_path / "here"


@pytest.mark.parametrize(
    "typed", ["mine.pth.tar", "./mine.pth.tar", "~/mine.pth.tar", "../here/mine.pth.tar"]
)
@pytest.mark.parametrize("place", ["", "#state_dict"])
def test_a_path_is_made_absolute_where_it_is_typed(
    folder: Path, typed: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    settings = parse_settings([*DEMO, "--weights", typed + place])
    monkeypatch.chdir("/")
    assert settings.weights.startswith("/")
    assert settings.weights.endswith(f"/mine.pth.tar{place}")
    check_new_run(settings)
    assert settings.base_config(precision="float32").weights == settings.weights


def test_of_a_settings_file_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "run.toml").write_text('weights = "mine.pth.tar"\n')
    monkeypatch.chdir(folder)
    settings = parse_settings([*DEMO, "--config", "run.toml"])
    assert settings.weights == str(folder / "mine.pth.tar")


def test_names_stay_names() -> None:
    assert parse_settings([*DEMO, "--weights", "none"]).weights == "none"
    with pytest.raises(UserError, match="weights is 'imagnet'; allowed: imagenet, "):
        Settings(weights="imagnet")


@pytest.mark.parametrize(
    ("weights", "backbone", "words"),
    [
        ("mine.pth.tar", "resnet50", "are a resnet18's, and the backbone is 'resnet50'"),
        ("two.pth.tar", "resnet18", "hold 2 networks that fit resnet18: state_dict, state_dict_"),
        ("mine.pth.tar#ema", "resnet18", "no network at 'ema'; allowed: state_dict"),
        ("model.pt", "resnet18", "are a whole pickled model (torch.nn.modules.conv.Conv2d)"),
    ],
)
def test_a_misfit_is_refused_before_anything_is_spent(
    folder: Path, weights: str, backbone: str, words: str
) -> None:
    settings = Settings(weights=str(folder / weights), backbone=backbone, data="synthetic")
    with pytest.raises(UserError) as caught:
        check_new_run(settings)
    (fault,) = caught.value.faults
    assert fault.startswith(f"--weights '{folder}/{weights}' ")
    assert words in fault


@pytest.mark.slow
@pytest.mark.timeout(180)  # the audit is a process of its own
def test_record_and_card_say_what_was_taken_from_where(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "two.pth.tar"
    sizes = {"train_size": 200, "val_size": 100, "batch_size": 32}
    settings = Settings(data="synthetic", weights=f"{path}#state_dict", **sizes)
    run = RunFolder(tmp_path / "runs" / "mine")
    base = settings.base_config(precision="float32")
    begin(settings, run, base)
    sha256 = file_sha256(path)
    line = (
        f"two.pth.tar (sha256 {sha256}): what lies at state_dict; left out: epoch, args, "
        "state_dict.fc, state_dict_ema"
    )
    assert f"\nweights      {line}\n" in capsys.readouterr().out
    experiment = run.read_experiment()
    assert experiment["weights"] == {
        "id": f"file sha256:{sha256}#state_dict",
        "file": "two.pth.tar",
        "sha256": sha256,
        "place": "state_dict",
        "left_out": ["epoch", "args", "state_dict.fc", "state_dict_ema"],
    }
    assert FineTuneConfig.from_dict(experiment["base_config"]).weights == settings.weights
    best = {
        **{"trial": 0, "epoch": 1, "config": base.to_dict(), "checkpoint": "trials/trial_0000/x"},
        **{"val_macro_f1": 0.5, "val_accuracy": 0.5},
    }
    card = ModelCard(model_card(run, best, ["safetensors"], final=False))
    assert f"- Backbone weights: {line}." in card.text
    assert "| weights | two.pth.tar#state_dict |" in card.text
    assert str(folder) not in card.content
    assert (card.data.license, card.data.license_name) == ("other", "see-card")
