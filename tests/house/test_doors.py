"""The doors of the house: imports go one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each room may import of the others.
ALLOWED = {
    "trainables": set(),
    "spaces": {"trainables"},
    "search": {"trainables", "spaces"},
    "analysis": {"trainables"},
}
RAY_FILES = ("trainables/workers/", "trainables/workers/slot.py")
FILES = [path for room in ALLOWED for path in (ROOT / room).rglob("*.py")]
ENTRY_POINTS = [path for path in FILES if '__name__ == "__main__"' in path.read_text()]


def imported_packages(path: Path) -> set[str]:
    """Top-level names of all imports of a file, those inside functions included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_through_its_rooms_doors(path: Path):
    room = path.relative_to(ROOT).parts[0]
    others = imported_packages(path) & (ALLOWED.keys() - {room})
    assert others <= ALLOWED[room]
    inside = str(path.relative_to(ROOT))
    if room in ("trainables", "spaces", "analysis") and not inside.startswith(RAY_FILES):
        assert "ray" not in imported_packages(path)


@pytest.mark.timeout(60)
def test_settings_are_checked_before_anything_heavy_is_imported():
    code = (
        "import sys, search.settings.command_line, search.run, spaces.registry, trainables.config;"
        "print(sorted({'torch', 'ray', 'cv2', 'sklearn', 'optuna'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_entry_point_is_short(path: Path):
    tree = ast.parse(path.read_text())
    main = next(node for node in tree.body if getattr(node, "name", "") == "main")
    assert main.end_lineno - main.lineno < 80


def test_no_pickle_is_read_or_written():
    users = [path for path in FILES if "pickle" in imported_packages(path)]
    assert users == []
