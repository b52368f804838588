"""The finder's command line: faults in one line, the table, the suggestion, the plot; no Ray."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from search.lr_find import draw, main, print_suggestions
from spaces.core import core
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.lr_finder import Curve

ROOT = Path(__file__).parents[2]
TINY = ["--preset", "demo", "--train-size", "64", "--val-size", "20", "--batch-size", "16"]
FALLING = Curve(rates=np.geomspace(1e-5, 1.0, 51), losses=np.linspace(2.0, 0.5, 51), diverged=False)
FLAT = Curve(rates=FALLING.rates, losses=np.full(51, 2.3), diverged=False)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--steps", "9"], "--steps is 9; allowed: 10 to 1000"),
        (["--steps", "1001"], "--steps is 1001; allowed: 10 to 1000"),
        (["--phase", "3"], "--phase is 3; allowed: 1 (frozen backbone), 2"),
        (["--phase", "2", "--finetune-epochs", "0"], "--phase is 2 with --finetune-epochs 0"),
        (["--plot", "curve.jpg"], "--plot is curve.jpg; allowed: a name ending in .png"),
        (["--plot", "/no/such/folder/curve.png"], "allowed: a file in an existing folder"),
        (["--data", "imagefolder:/no/such/folder"], "/no/such/folder"),
        (["--weights", "imagnet"], "weights is 'imagnet'"),
    ],
)
def test_a_fault_names_value_and_way_out(flags, told):
    with pytest.raises(UserError) as caught:
        main([*TINY, *flags])
    assert told in str(caught.value)


@pytest.mark.timeout(30)
def test_the_command_line_answers_in_one_line_with_status_2():
    code = "import sys, search.lr_find; print({'torch', 'ray', 'optuna'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.strip() == "set()"
    run = subprocess.run(
        [sys.executable, "-m", "search.lr_find", "--steps", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr == "error: --steps is 5; allowed: 10 to 1000\n"


@pytest.mark.timeout(30)
def test_a_sweep_prints_an_aligned_table_and_leaves_only_the_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main([*TINY, "--precision", "float32", "--steps", "12", "--plot", "curve.png"])
    lines = capsys.readouterr().out.splitlines()
    header = next(i for i, line in enumerate(lines) if line.split() == ["step", "head_lr", "loss"])
    rows = [line for line in lines[header + 1 :] if re.match(r" +\d+ ", line)]
    assert [len(row) for row in rows] == [len(lines[header])] * len(rows)
    assert rows[0].split()[:2] == ["1", "1.0e-05"]
    assert 8 <= len(rows) <= 12
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [tmp_path / "curve.png"]


def test_a_suggestion_says_where_to_write_it(capsys):
    assert print_suggestions(FALLING).keys() == {"valley", "steepest"}
    told = capsys.readouterr().out
    fixed = re.search(r"return (replace\(core\(trial, base\), head_lr=[\d.e-]+\))", told)
    assert fixed
    assert "--space MODULE:FUNCTION" in told
    assert core.__name__ in fixed[1]
    FineTuneConfig(head_lr=float(re.search(r"head_lr=([\d.e-]+)", told)[1]))


def test_a_flat_curve_is_told_as_it_is(capsys):
    assert print_suggestions(FLAT) == {}
    assert capsys.readouterr().out.startswith("suggestion   none: no clear minimum")


@pytest.mark.parametrize(("curve", "suggestions"), [(FALLING, {"valley": 1e-2}), (FLAT, {})])
def test_a_curve_can_be_drawn_with_and_without_a_suggestion(curve, suggestions):
    assert draw(curve, suggestions).startswith(b"\x89PNG")
