"""What --dry-run says: the settings, the space, resources and steps; and nothing is made."""

import json

import pytest

from search.run import main
from search.settings.command_line import NOT_IN_A_FILE, TYPES
from tests.helpers.around import make_winner


@pytest.fixture
def dry_run(tmp_path, monkeypatch, capsys):
    """Calls the search with --dry-run; what it prints on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        main(["--preset", "demo", "--storage", str(tmp_path / "runs"), "--dry-run", *words])
        assert sorted(tmp_path.rglob("*")) == before
        return capsys.readouterr().out

    return call


def test_it_shows_every_setting_and_marks_what_is_not_the_default(dry_run, tmp_path):
    told = dry_run("--seed", "7").splitlines()
    for name in set(TYPES) - set(NOT_IN_A_FILE):
        assert any(f"{line} ".startswith(f"  {name.replace('_', ' ')} ") for line in told), name
    assert "  seed                  7 *" in told
    assert "  backbone              resnet18" in told
    assert all(len(line) <= 80 for line in told if str(tmp_path) not in line)


def test_it_shows_every_dimension_with_range_and_prior(dry_run):
    told = " ".join(dry_run("--space", "core").split())
    assert "space core: 4 dimensions" in told
    assert "unfreeze top5, top10, top15, top20, stage4, stage3, all (uniform over the" in told
    assert "backbone lr ratio 0.03 to 1 (log-uniform)" in told
    assert "cutmix probability 0.1 to 0.5 (uniform; asked in " in told


def test_it_says_what_would_be_done(dry_run, tmp_path):
    told = " ".join(dry_run("--workers-per-trial", "2", "--cpus-per-trial", "1.5").split())
    assert "a trial cores 3, GPUs 0" in told
    assert f"audit synthetic, then make {tmp_path}/runs/demo" in told
    assert "9 trials of 2 + 4 epochs; ASHA stops the weak after 1, 3 epochs of phase 2" in told


def test_a_users_own_space_is_shown_too(dry_run):
    told = " ".join(dry_run("--space", "tests.helpers.spaces:kernels").split())
    assert "interpolation nearest, bicubic" in told
    assert "ema decay 0 to 0.5 in steps of 0.5 (uniform)" in told


def test_the_arms_around_a_winner_are_shown_instead(dry_run, tmp_path):
    make_winner(tmp_path / "winner")
    told = dry_run("--space", "interventions", "--around", str(tmp_path / "winner"), "--seeds", "2")
    assert "  aim                   cat and dog" in told
    assert "pair_weights" in told
    assert "python -m analysis.compare" in " ".join(told.split())


def test_a_machine_reads_the_same_as_json(dry_run, tmp_path):
    told = json.loads(dry_run("--json"))
    assert told["num_trials"] == 9
    assert told["run_folder"] == str(tmp_path / "runs" / "demo")
    assert told["dimensions"]["backbone_lr_ratio"] == {
        "prior": "log-uniform",
        "values": "0.03 to 1",
        "asked_in": 1.0,
    }
