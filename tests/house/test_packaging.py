"""`pip install .` (not only `-e`) ships all that the commands need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = """
import sys
from pathlib import Path
import analysis, search, spaces, trainables
from jinja2 import PackageLoader
from trainables.models.weights import load_backbone_state
target = Path(sys.argv[1])
for package in (analysis, search, spaces, trainables):
    assert Path(package.__file__).is_relative_to(target), package.__file__
assert len(load_backbone_state("resnet18", "embedded")) == 120
print(*PackageLoader("analysis").list_templates())
"""


@pytest.mark.timeout(180)
def test_an_installed_copy_has_weights_templates_and_commands(tmp_path: Path):
    target = tmp_path / "site"
    source = tmp_path / "source"  # a build leaves folders behind; not in the checkout
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    environment = os.environ | {"PYTHONPATH": str(target)}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    templates = ROOT / "analysis" / "templates"
    expected = {str(f.relative_to(templates)) for f in templates.rglob("*") if f.is_file()}
    assert set(python("-c", CHECK, str(target)).split()) == expected
    assert {"report.html.j2", "compare.html.j2"} <= expected
    assert (target / "analysis" / "assets" / "detectors.json").is_file()
    licences = [str(f.relative_to(target)) for f in target.rglob("resnet18_imagenet.LICENSE")]
    assert "trainables/assets/resnet18_imagenet.LICENSE" in licences  # beside the weights
    assert any(".dist-info/licenses/" in name for name in licences)  # and where tools look
    assert "--num-trials" in python("-m", "search.run", "--help")
    for module in ("search.export", "analysis.report", "trainables.predict", "trainables.pretrain"):
        assert "usage" in python("-m", module, "--help")
