"""The plan's command line and its table."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from search.plan.__main__ import main
from search.plan.costs import MeasuredCosts, Parts
from search.plan.forecast import Forecast, Interval
from search.plan.planning import SearchPlan, draw, measured_at
from search.plan.probe import Probed, Task
from search.plan.table import NAME_WIDTH, table
from search.settings.settings import Settings
from spaces.registry import load_space
from tests.helpers.around import make_winner
from trainables.config import FineTuneConfig
from trainables.errors import UserError

ROOT = Path(__file__).parents[3]
TINY = [
    *("--preset", "demo", "--train-size", "80", "--val-size", "40", "--batch-size", "8"),
    *("--head-epochs", "1", "--finetune-epochs", "3", "--max-concurrent", "1"),
]
PARTS = Parts(
    forward_flops=1.0,
    step_flops=1.0,
    head=0.001,
    mixed=0.002,
    finetune=0.003,
    validation=0.004,
    head_checkpoint=0.1,
    finetune_checkpoint=0.2,
)
MEASURED = MeasuredCosts(cheap=PARTS, dear=PARTS, views={"none": 0.0}, start=20.0)
CONFIG = FineTuneConfig()
PLAN = SearchPlan(
    settings=Settings(),
    task=Task(
        cheap=CONFIG,
        dear=CONFIG,
        policies=("none",),
        base_px=32,
        device="cpu",
        num_threads=1,
        workers=1,
    ),
    num_probes=2,
    probe_seconds=9.0,
    measured=dict.fromkeys(("low", "expected", "high"), MEASURED),
    forecast=Forecast(
        trial_seconds=Interval(low=60, expected=120, high=180),
        search_seconds=Interval(low=1_800, expected=3_600, high=7_200),
        spent_seconds=Interval(low=1_800, expected=3_600, high=5_400),
        epochs=Interval(low=60, expected=80, high=192),
        ended=Interval(low=9, expected=12, high=16),
    ),
    num_trials=16,
    concurrent=4,
)


def row(lines: list[str], name: str) -> list[str]:
    """The figures of the line that begins with `name`."""
    return next(line for line in lines if line.strip().startswith(name))[NAME_WIDTH:].split()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--price-per-hour", "-1"], "--price-per-hour is -1; allowed: 0 or more"),
        (["--price-per-hour", "nan"], "--price-per-hour is nan"),
        (["--space", "nowhere"], "space is 'nowhere'"),
    ],
)
def test_a_fault_names_value_and_way_out(flags, told):
    with pytest.raises(UserError) as caught:
        main([*TINY, *flags])
    assert told in str(caught.value)


def test_arms_around_a_winner_are_not_planned(tmp_path):
    run = make_winner(tmp_path / "mine")
    with pytest.raises(UserError, match="--around came to a plan; allowed: a search; arms x seeds"):
        main(["--space", "interventions", "--around", str(run.root)])


@pytest.mark.timeout(30)
def test_the_command_line_answers_before_anything_heavy_is_imported():
    code = "import sys, search.plan; print({'torch', 'ray', 'optuna'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.strip() == "set()"


def test_seconds_are_told_by_the_thousand_and_minutes_of_a_search():
    lines = table(PLAN, price_per_hour=0.0)
    assert row(lines, "phase 2") == ["3.000", "3.000"]
    assert row(lines, "a checkpoint of phase 2") == ["0.200", "0.200"]
    assert row(lines, "minutes of a trial") == ["1.0", "2.0", "3.0"]
    assert row(lines, "minutes of the search") == ["30.0", "60.0", "120.0"]
    told = "\n".join(lines)
    assert "GPU" not in told
    assert "money" not in told
    assert "--max-hours" not in told


def test_money_is_for_the_machine_or_for_the_gpus_that_are_held():
    assert row(table(PLAN, price_per_hour=3.0), "money") == ["1.50", "3.00", "4.50"]
    settings = replace(PLAN.settings, gpus_per_trial=0.5, max_hours=2.0)
    lines = table(replace(PLAN, settings=settings), price_per_hour=3.0)
    assert row(lines, "GPU-hours (2 GPUs)") == ["1.00", "2.00", "3.00"]
    assert row(lines, "money, at 3 a GPU-hour") == ["3.00", "6.00", "9.00"]
    assert row(lines, "minutes of it in --max-hours 2") == ["30.0", "60.0", "90.0"]
    assert row(lines, "trials of 16 in --max-hours 2") == ["9", "12", "16"]


def test_a_finite_space_says_how_many_trials_it_has():
    lines = table(replace(PLAN, num_trials=5), price_per_hour=0.0)
    assert any("no more than these (--num-trials 16)" in line for line in lines)


def test_what_a_search_asks_first_is_drawn_first():
    base = Settings(resolution=32).base_config(precision="float32")
    configs, num_first = draw(load_space("core"), base, 20)
    assert (len(configs), num_first) == (21, 1)
    assert configs[0] == base
    assert len(set(configs)) == 21


def test_processes_and_steps_are_one_measurement_a_level():
    quick, slow = replace(PARTS, head=0.001), replace(PARTS, head=0.003)
    probed = [
        Probed(cheap=(quick, slow), dear=(quick, quick), views={"none": 0.1}, start=4.0),
        Probed(cheap=(quick, slow), dear=(slow, slow), views={"none": 0.3}, start=8.0),
    ]
    levels = {level: measured_at(level, probed) for level in ("low", "expected", "high")}
    assert [m.cheap.head for m in levels.values()] == pytest.approx([0.001, 0.002, 0.003])
    assert [m.dear.head for m in levels.values()] == pytest.approx([0.001, 0.002, 0.003])
    assert [m.views["none"] for m in levels.values()] == pytest.approx([0.1, 0.2, 0.3])
    assert levels["low"].start < levels["expected"].start < levels["high"].start


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_plan_needs_no_pictures_and_leaves_nothing(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "search.plan", *TINY, "--data", "cifar10:/no/such/folder"],
        cwd=ROOT,
        env={"PATH": "", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    low, expected, high = map(float, row(told.stdout.splitlines(), "minutes of the search"))
    assert 0 < low <= expected <= high
    assert told.stderr == ""
    left = [path.name for path in tmp_path.iterdir()]
    assert [name for name in left if not name.startswith("torchinductor")] == []  # PyTorch's own
