"""The command on a real export: tables, JSON, and pictures that are none."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from trainables import predict
from trainables.command import run_main
from trainables.config import FineTuneConfig
from trainables.models.checkpoints import TrainedModel
from trainables.models.exported import save_exported
from trainables.models.network import build_model
from trainables.predict import answers, softmax

NAMES = ("cat", "dog", "ship")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network whose last bias decides: ship before cat before dog."""
    config = FineTuneConfig(weights="none", resolution_px=32, interpolation="none")
    model = build_model(config, len(NAMES), pretrained={}).eval()
    last = model.head[-1]
    assert isinstance(last, nn.Linear)
    last.weight.data.zero_()
    last.bias.data[:] = last.bias.new_tensor([1.0, 0.0, 2.0])
    folder = tmp_path_factory.mktemp("export")
    trained = TrainedModel(model=model, config=config, class_names=NAMES, base_px=32, epoch=3)
    save_exported(trained, folder, provenance={"epoch": 3})
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((50, 40, 3), np.uint8)).save(path)
    return path


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["predict.py", *map(str, arguments)])
    status = run_main(predict.main)
    told = capsys.readouterr()
    return status, told.out, told.err


def test_a_table(export, picture, monkeypatch, capsys) -> None:
    status, out, err = call(monkeypatch, capsys, export, picture, picture)
    assert (status, err) == (0, "")
    header, *rows = out.splitlines()
    assert header.split() == ["class", "share", "second", "share", "picture"]
    assert [row.split() for row in rows] == [["ship", "66.5%", "cat", "24.5%", str(picture)]] * 2


def test_json_has_the_likeliest_classes_and_the_logits(
    export, picture, monkeypatch, capsys
) -> None:
    status, out, _ = call(monkeypatch, capsys, export, picture, "--json", "--top", 2)
    told = json.loads(out)
    assert (status, told["class_names"]) == (0, list(NAMES))
    (row,) = told["pictures"]
    assert (row["picture"], row["class"], row["logits"]) == (str(picture), "ship", [1, 0, 2])
    assert [one["class"] for one in row["top"]] == ["ship", "cat"]
    assert row["probability"] == pytest.approx(np.exp(2) / (np.exp(2) + np.exp(1) + 1))


def test_each_wrong_picture_is_a_line_and_the_others_are_answered(
    export, picture, monkeypatch, capsys, tmp_path
) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:60])
    wrong = [tmp_path / name for name in ("text.png", "cut.png", "absent.png")]
    status, out, err = call(monkeypatch, capsys, export, wrong[0], picture, *wrong[1:])
    assert status == 2
    assert [line.split()[-1] for line in out.splitlines()[1:]] == [str(picture)]
    for line, path in zip(err.splitlines(), wrong, strict=True):
        assert line.startswith(f"error: {path} cannot be read (")

    status, out, err = call(monkeypatch, capsys, export, wrong[0], "--json")
    assert (status, json.loads(out)["pictures"], len(err.splitlines())) == (2, [], 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--top", 0], "--top is 0; allowed: 1 or more"),
        (["--batch-size", 0], "--batch-size is 0; allowed: 1 or more"),
        (["--format", "onnx"], "model.onnx cannot be read"),
        (["--format", "torch-export"], "model.pt2 cannot be read"),
    ],
)
def test_wrong_arguments_are_one_line(
    export, picture, monkeypatch, capsys, arguments, words
) -> None:
    status, out, err = call(monkeypatch, capsys, export, picture, *arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_a_folder_that_is_no_export_is_one_line(picture, monkeypatch, capsys, tmp_path) -> None:
    status, _, err = call(monkeypatch, capsys, tmp_path, picture)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "is no exported model" in err


def test_huge_logits_are_no_nan() -> None:
    probabilities = softmax(np.array([[1e4, 0, -1e4], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(probabilities, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert answers(np.zeros((1, 3), np.float32), NAMES, top=9)[0]["class"] == "cat"
