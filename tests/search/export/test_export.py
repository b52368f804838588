"""The command as a user types it, on a real checkpoint."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.export import exporting
from search.export.__main__ import main
from search.export.exporting import largest_difference, proven
from search.records.folder import RunFolder
from tests.helpers.exportable import CLASSES, make_exportable
from trainables import errors
from trainables.errors import UserError
from trainables.models.checkpoints import load_trained
from trainables.models.exported import save_exported
from trainables.models.formats import FILES
from trainables.models.graphs import save_onnx, trace
from trainables.storage import journal

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_exportable(tmp_path_factory.mktemp("exportable"))


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_every_format_has_a_row_and_another_one_is_an_error(tmp_path: Path, run: RunFolder) -> None:
    assert set(exporting.FORMATS) == set(FILES)
    with pytest.raises(KeyError, match="gguf"):
        exporting.save_all(
            load_trained(run.checkpoint(run.read_best())), tmp_path, ["gguf"], provenance={}
        )


@pytest.fixture(scope="module")
def exported(run: RunFolder) -> str:
    """What the command printed."""
    told = python("search.export", str(run.root), "--format", "onnx", "torch-export")
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_three_files_are_proven_on_256_pictures(run: RunFolder, exported: str) -> None:
    names = sorted(path.name for path in run.export.iterdir())
    assert names == [
        *("LICENSE.backbone", "README.md", "config.json"),
        *("model.onnx", "model.pt2", "model.safetensors"),
    ]
    for form, tolerance in (("safetensors", 1e-4), ("onnx", 1e-3), ("torch-export", 1e-4)):
        (line,) = (line for line in exported.splitlines() if line.startswith(form))
        assert "in a fresh process: 256 pictures, same classes" in line
        assert float(line.partition("within ")[2].split()[0]) <= tolerance
        assert f"(allowed {tolerance:.0e})" in line
    (event,) = journal.read(run.journal)
    assert (event["event"], event["formats"]) == (
        "exported",
        ["safetensors", "onnx", "torch-export"],
    )
    assert [path.name for path in run.root.iterdir() if path.name.startswith("tmp")] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_six_lines_of_the_documents_run(run: RunFolder, exported: str, tmp_path: Path) -> None:
    """docs/deploy.md promises them: without this project and without PyTorch."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    assert len([line for line in code.splitlines() if line]) == 6
    picture = Image.new("RGB", (32, 32), (230, 30, 30))
    picture.save(tmp_path / "cat.png")
    trained = load_trained(run.root / run.read_best()["checkpoint"])
    answer = CLASSES[int(trained.predict_logits(np.asarray(picture)[None]).argmax())]
    (tmp_path / "export").symlink_to(run.export)
    watched = f"{code}\nimport sys\nprint(sorted({{'torch', 'trainables'}} & sys.modules.keys()))"
    told = subprocess.run(
        [sys.executable, "-c", watched], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [answer, "[]"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_export_that_answers_otherwise_is_refused_and_the_earlier_one_stays(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.export.mkdir(exist_ok=True)
    (run.export / "config.json").write_text("the earlier one")
    before = sorted(run.root.iterdir())
    honest = exporting.save_exported

    def another(trained, folder, *, provenance):
        trained.model.head[-1].bias.data += 1e-3
        honest(trained, folder, provenance=provenance)
        trained.model.head[-1].bias.data -= 1e-3

    monkeypatch.setattr(exporting, "save_exported", another)
    with pytest.raises(UserError, match=r"differ by up to 0\.001; allowed: 0\.0001"):
        exporting.export_run(run, ["safetensors"], final=False)
    assert (run.export / "config.json").read_text() == "the earlier one"
    assert sorted(run.root.iterdir()) == before
    monkeypatch.undo()
    exporting.export_run(run, ["safetensors"], final=False)
    assert json.loads((run.export / "config.json").read_text())["labels"] == list(CLASSES)
    assert not set(run.root.iterdir()) - {*before, run.journal}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_graph_with_other_classes_first_is_found_out(run: RunFolder, tmp_path: Path) -> None:
    trained = load_trained(run.root / run.read_best()["checkpoint"])
    save_exported(trained, tmp_path, provenance={})
    save_onnx(trace(trained), tuple(reversed(CLASSES)), tmp_path / "model.onnx")
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    assert largest_difference(trained, tmp_path, images, form="onnx") == float("inf")
    (tmp_path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(UserError, match="cannot predict"):
        proven(trained, tmp_path, "onnx", images)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such/run"], "is no run folder"),
        (["/no/such/run", "--format", "onnx"], "is no run folder"),
        (["--final"], "has no final.json"),
    ],
)
def test_a_wrong_run_is_one_line(run: RunFolder, arguments: list[str], words: str) -> None:
    if arguments[0].startswith("--"):
        arguments = [str(run.root), *arguments]
    with pytest.raises(UserError, match=words):
        main(arguments)


def test_a_missing_extra_is_one_line_with_the_command(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(errors.EXTRAS, "onnx", ("onnx", "not_a_package"))
    with pytest.raises(UserError) as caught:
        main([str(run.root), "--format", "onnx"])
    (fault,) = caught.value.faults
    assert fault.startswith("--format onnx needs not_a_package, not installed here")
    assert "pip install -e '.[onnx]'" in fault


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UserError, match="invalid choice: 'coreml'"):
        main(["runs/demo", "--format", "coreml"])


@pytest.mark.timeout(120)
def test_nothing_heavy_is_imported_before_the_arguments_are_checked() -> None:
    code = (
        "import sys, search.export, search.serve, trainables.predict;"
        "print(sorted({'torch', 'ray', 'onnx', 'onnxruntime', 'fastapi'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
