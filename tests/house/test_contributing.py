"""CONTRIBUTING.md: every file and every name of "where things go" and of the walks is there."""

import ast
import re
from pathlib import Path

import pytest

from tests.helpers.documents import ROOT, code_spans, table

DOCUMENT = ROOT / "CONTRIBUTING.md"
HEADING = "Where things go"
ROWS = table(DOCUMENT, HEADING)
WALKS = re.findall(r"^\d\. .+$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
CHANGES = (  # what a newcomer looks for
    *("a backbone", "an augmentation", "a rule of the scheduler", "a section of the report"),
    *("a flag of `search run`", "an export format", "a store for run folders"),
    *("a fix in resuming a trial", "a detector of shortcuts", "a progress line"),
)


def names_of(path: Path) -> set[str]:
    """What a Python file defines, at any depth: functions, classes, assigned names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def faults(text: str) -> list[str]:
    """What is missing of a text's paths, and of the names that follow each directly."""
    missing = []
    for path, following in re.findall(r"`(\w[\w.]*/[\w./]*)`((?:,? `\w+`)*)", text):
        there = ROOT / path
        if not there.exists():
            missing.append(path)
        elif names := code_spans(following):
            known = names_of(there)
            missing += [f"{path}: {name}" for name in names if name not in known]
    return missing


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["to add"])
def test_where_a_thing_goes_is_there(row):
    assert faults(" | ".join(row.values())) == []
    assert "`tests/" in row["test"]


def test_the_usual_changes_have_a_row():
    assert {*CHANGES} <= {row["to add"] for row in ROWS}


@pytest.mark.parametrize("step", WALKS, ids=lambda step: step[:40])
def test_a_step_of_a_walk_is_there(step):
    assert faults(step) == []


def test_there_are_three_walks_of_five_steps():
    assert [step[0] for step in WALKS] == [*"12345"] * 3


def test_a_missing_file_or_name_would_be_found():
    assert faults("`search/no_such.py` `main`") == ["search/no_such.py"]
    assert faults("`search/run.py` `main` `no_such`") == ["search/run.py: no_such"]
