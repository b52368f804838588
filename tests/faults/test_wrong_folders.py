"""A run folder that is not as the search left it: one clear line, and nothing is touched."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.faults.harness import Search
from tests.faults.invariants import assert_same_tables, check_record

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(300)]


@pytest.fixture
def copied(search, undisturbed) -> Search:
    """A copy of the undisturbed run's folder, to be spoilt."""
    run = search(*undisturbed.flags)
    shutil.copytree(undisturbed.folder.root, run.folder.root)
    return run


def another_version(run: Search) -> None:
    experiment = json.loads(run.folder.experiment.read_text())
    experiment["format_version"] = 0
    experiment["settings"]["momentum"] = 0.9  # unknown today
    run.folder.experiment.write_text(json.dumps(experiment))


def a_foreign_folder(run: Search) -> None:
    shutil.rmtree(run.folder.root)
    run.folder.root.mkdir()
    (run.folder.root / "thesis.tex").write_text("")


def a_damaged_line(run: Search) -> None:
    lines = run.folder.journal.read_bytes().split(b"\n")
    lines[len(lines) // 2] = lines[len(lines) // 2][:-20]
    run.folder.journal.write_bytes(b"\n".join(lines))


def a_lost_journal(run: Search) -> None:
    run.folder.journal.unlink()


def a_journal_that_ends_before_the_study(run: Search) -> None:
    lines = run.folder.journal.read_bytes().splitlines(keepends=True)
    ends = [i for i, line in enumerate(lines) if b'"finished"' in line and b'"event"' in line]
    run.folder.journal.write_bytes(b"".join(lines[: ends[-1]]))


def a_journal_cut_in_an_event(run: Search) -> None:
    size = run.folder.journal.stat().st_size
    with run.folder.journal.open("r+b") as file:
        file.truncate(int(np.random.default_rng(0).integers(size // 4, 3 * size // 4)))


def a_lost_study(run: Search) -> None:
    run.folder.study.unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (another_version, "has format_version 0; allowed: 1"),
        (a_foreign_folder, "is no run folder"),
        (a_damaged_line, "is not JSON"),
        (a_lost_journal, "journal.jsonl ends before"),
        (a_journal_that_ends_before_the_study, "journal.jsonl ends before"),
        (a_journal_cut_in_an_event, "journal.jsonl ends before"),
        (a_lost_study, "study.log ends before"),
    ],
)
def test_it_is_refused_with_one_line_and_left_as_it_is(copied, spoil, told):
    spoil(copied)
    before = contents(copied.folder.root)
    answer = copied.beside("--resume", "--num-trials", "6")
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert told in answer.stderr
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert before.items() <= contents(copied.folder.root).items()


def test_a_last_event_that_a_kill_cut_short_never_was(copied, undisturbed):
    with copied.folder.journal.open("r+b") as file:
        file.truncate(copied.folder.journal.stat().st_size - 9)
    answer = copied.beside("--resume")
    assert answer.returncode == 0, answer.stderr
    check_record(copied, num_trials=len(undisturbed.record.trials), max_concurrent=1)
    assert_same_tables(copied.folder, undisturbed.folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
