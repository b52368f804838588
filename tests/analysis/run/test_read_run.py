"""The script that reads a run folder into pandas."""

import runpy
import sys
from pathlib import Path

from tests.helpers.fabricate import make_run

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "docs" / "read_run.py"


def test_the_script_reads_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["read_run.py", str(make_run(tmp_path))])
    read = runpy.run_path(str(SCRIPT), run_name="__main__")
    assert {read[name].shape[0] > 0 for name in ("trials", "epochs", "journal", "best")} == {True}
    assert read["best"]["epoch"] == 13
    assert "trial 3, epoch 13: 0.9" in capsys.readouterr().out


def test_the_document_shows_the_scripts_own_lines():
    block = (ROOT / "docs" / "run-folder.md").read_text().split("```python\n")[1].split("```")[0]
    lines = block.strip().splitlines()
    assert len(lines) == 5
    assert all(line in SCRIPT.read_text() for line in lines[1:])
