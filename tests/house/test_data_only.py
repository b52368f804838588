"""What comes from elsewhere is data: a checkpoint, a run folder or a state dict runs no code."""

import ast
import json
import sys
from pathlib import Path

import pytest

from search.records.folder import RunFolder
from spaces.registry import load_space
from trainables.errors import UserError

ROOT = Path(__file__).parents[2]
ROOMS = ("trainables", "spaces", "search", "analysis")
FILES = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
# Modules that run code which they find in a file.
RUNS_CODE = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def faults(source: str) -> list[str]:
    """What in a file would run code that it has read."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.partition(".")[0] in RUNS_CODE]
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in RUNS_CODE:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            found += _faults_of_call(node)
    return found


def _faults_of_call(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    reads_pickles = name.endswith((".read_pickle", "yaml.load", "Tuner.restore"))
    if name in ("eval", "exec") or reads_pickles:
        return [name]
    if name == "torch.load" and given.get("weights_only") != "True":
        return [name]
    if name == "np.load" and given.get("allow_pickle", "False") != "False":
        return [name]
    return []


def test_no_file_reads_what_would_run():
    found = {str(path.relative_to(ROOT)): faults(path.read_text()) for path in FILES}
    assert len(found) > 100
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "eval(text)",
    ],
)
def test_the_check_finds_what_it_looks_for(source):
    assert faults(source)


def run_with(folder: Path, checkpoint: object) -> RunFolder:
    (folder / "best.json").write_text(json.dumps({"checkpoint": checkpoint}))
    return RunFolder(folder)


def test_a_checkpoint_lies_in_its_run_folder(tmp_path):
    run = run_with(tmp_path, "trials/trial_0000/checkpoint_0001")
    assert run.checkpoint(run.read_best()) == tmp_path / "trials/trial_0000/checkpoint_0001"


@pytest.mark.parametrize("named", ["../other/checkpoint_0001", "/etc", "trials/../../x", "link/x"])
def test_a_checkpoint_elsewhere_is_refused(tmp_path, named):
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    (run_folder / "link").symlink_to(tmp_path)
    run = run_with(run_folder, named)
    with pytest.raises(UserError, match="allowed: a folder inside the run folder"):
        run.checkpoint(run.read_best())


def test_a_run_folder_holds_no_space(tmp_path, monkeypatch):
    """`--resume` takes the space's name from experiment.json; it must not name code beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    run = tmp_path / "runs" / "sent_by_mail"
    run.mkdir(parents=True)
    (run / "space.py").write_text("def draw(trial, base):\n    return base\n")
    assert callable(load_space("runs.sent_by_mail.space:draw"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "runs"]:
        del sys.modules[name]
    (run / "experiment.json").write_text("{}")
    with pytest.raises(UserError, match="inside a run folder"):
        load_space("runs.sent_by_mail.space:draw")
    assert "runs.sent_by_mail.space" not in sys.modules
