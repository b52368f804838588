"""Every figure of a card is in the run folder, and the Hub's own reader understands it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from search.export.model_card import model_card
from search.records.folder import RunFolder
from trainables.config import FineTuneConfig
from trainables.data.spec import DataSpec
from trainables.storage.files import write_json

BEST = {
    "trial": 7,
    "epoch": 9,
    "config": FineTuneConfig(head_epochs=5, finetune_epochs=10).to_dict(),
    "checkpoint": "trials/trial_0007/checkpoint_0009",
    "val_macro_f1": 0.83125,
    "val_accuracy": 0.84,
}
ESTIMATE = {"value": 0.8123, "lower": 0.8021, "upper": 0.8229}


def claim(text: str, verdict: str, **more: Any) -> dict[str, Any]:
    effect = {"value": 0.123, "lower": 0.101, "upper": 0.145}
    row = {"claim": text, "verdict": verdict, "effect": effect, "unit": "points"}
    return row | {"num_images": 400} | more


REPORT = {
    "format_version": 2,
    "model": {
        **{key: BEST[key] for key in ("trial", "epoch", "checkpoint")},
        "test_openings": {"count": 1},
    },
    "verdict": {
        "word": "ABOVE",
        "meaning": "the whole interval lies above the gate: it passes",
        "gate": 0.65,
        "num_images": 5000,
        "macro_f1": ESTIMATE,
        "accuracy": {"value": 0.8201, "lower": 0.81, "upper": 0.83},
    },
    "claims": {
        "sentence": "Of 3 claims: 1 confirmed, 1 refuted, 1 inconclusive, 0 not tested.",
        "rows": [
            claim("cat|dog are confused", "CONFIRMED"),
            claim("ships go by the water", "REFUTED", effect=None),
            claim("frogs go by green", "INCONCLUSIVE"),
        ],
    },
    "limits": ["One trained model is n = 1.", "Not in this report: wrong labels."],
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.root.mkdir()
    write_json(
        run.experiment,
        {
            "format_version": 1,
            "name": "laptop",
            "space": "full",
            "data": DataSpec(source="cifar10:/home/someone/data").to_dict(),
            "data_fingerprint": "train 3f1c val 9a04",
            "class_names": ["cat", "dog"],
            "git_commit": "8d2c41f0",
            "versions": {"torch": "2.14.1"},
        },
    )
    return run


def write_report(run: RunFolder, report: dict[str, Any]) -> None:
    (run.root / "report").mkdir()
    (run.root / "report" / "report.json").write_text(json.dumps(report))


def card_of(run: RunFolder, best: dict[str, Any] = BEST, *, final: bool = False) -> ModelCard:
    text = model_card(run, best, ["safetensors", "onnx"], final=final)
    return ModelCard(text)


def test_with_a_report_the_figures_are_the_sealed_tests(run: RunFolder) -> None:
    write_report(run, REPORT)
    card = card_of(run)
    macro_f1, accuracy = card.data.eval_results
    assert (macro_f1.metric_type, macro_f1.metric_value) == ("f1", 0.8123)
    assert macro_f1.metric_name == "macro-F1 (95 % interval 0.802 to 0.823, n = 5,000)"
    assert (accuracy.metric_type, accuracy.metric_value) == ("accuracy", 0.8201)
    assert (macro_f1.dataset_type, macro_f1.dataset_split) == ("uoft-cs/cifar10", "test")
    assert "| macro-F1 | 0.812 | 0.802 to 0.823 | 5,000 | test | sealed" in card.text
    assert "ABOVE: the whole interval lies above the gate" in card.text
    assert "| CONFIRMED | cat\\|dog are confused | 12.3 points (10.1 to 14.5) | 400 |" in card.text
    assert "| REFUTED | ships go by the water | missing | 400 |" in card.text
    assert "frogs go by green" not in card.text
    assert "- Not in this report: wrong labels." in card.text
    assert "0.831" not in card.content  # the optimistic one


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (None, ""),
        ({}, "The report that is there cannot be read."),
        (REPORT | {"format_version": 1}, "The report that is there has format_version 1."),
        (
            REPORT | {"model": REPORT["model"] | {"epoch": 8}},
            "The report that is there is of another checkpoint (trial 7, epoch 8).",
        ),
    ],
)
def test_without_its_report_the_figures_are_validations_and_called_optimistic(
    run: RunFolder, report: dict[str, Any] | None, why: str
) -> None:
    if report is not None:
        write_report(run, report)
    card = card_of(run)
    macro_f1, _ = card.data.eval_results
    assert (macro_f1.metric_value, macro_f1.dataset_split) == (0.83125, "validation")
    assert macro_f1.metric_name == "macro-F1 (validation, selected and so optimistic, n = 2,000)"
    assert "| macro-F1 | 0.831 | missing | 2,000 | validation | optimistic: " in card.text
    assert f"{why} No figure on the sealed test split, no interval".strip() in card.text
    assert "0.812" not in card.content
    assert "What the report says" not in card.text


def test_a_model_of_all_pictures_has_no_figure(run: RunFolder) -> None:
    write_report(run, REPORT)  # on the best checkpoint, which is another model
    final = {key: BEST[key] for key in ("trial", "epoch", "config", "checkpoint")}
    card = card_of(run, final | {"num_images": 12_000}, final=True)
    assert card.data.eval_results is None
    assert "No figure of this model was measured" in card.text
    assert "| training pictures | 12000 |" in card.text
    measured = card.text.partition("## Measured")[2].partition("## Limits")[0]
    assert re.findall(r"0\.\d+", measured) == []


def test_no_path_travels_and_every_setting_does(run: RunFolder) -> None:
    config = BEST["config"] | {"weights": "/home/someone/backbone.safetensors"}
    card = card_of(run, BEST | {"config": config})
    assert "/home" not in card.content
    assert "| weights | backbone.safetensors |" in card.text
    assert all(f"| {name} |" in card.text for name in config)
    assert (card.data.license, card.data.library_name) == ("other", "pytorch")
    assert "have terms of their own" in card.text


def test_front_matter(run: RunFolder) -> None:
    data = card_of(run).data
    assert (data.license, data.datasets, data.metrics) == (
        "apache-2.0",
        ["uoft-cs/cifar10"],
        ["f1", "accuracy"],
    )
    assert data.pipeline_tag == "image-classification"
    assert {"resnet18", "onnx", "safetensors"} <= set(data.tags)


@pytest.mark.parametrize(("epoch", "first_phase"), [(5, True), (6, False)])
def test_a_checkpoint_of_the_first_phase_says_so(
    run: RunFolder, epoch: int, first_phase: bool
) -> None:
    card = card_of(run, BEST | {"epoch": epoch})
    assert ("of its first phase: the backbone is as pre-trained" in card.text) is first_phase
