"""The doors of the house: imports between rooms go one way, and inside a room upwards only."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each room may import of the others.
ROOMS = {
    "trainables": set(),
    "spaces": {"trainables"},
    "search": {"trainables", "spaces"},
    "analysis": {"trainables"},
}
# What each package, or file, of a room may import of its room.
GROUND = {"errors", "augmentations", "backbones", "classes", "command", "cv2_threads"}
LOOP = GROUND | {"config", "data", "models", "training"}
RECORDED = {"records", "settings", "monitoring"}
SEARCHED = RECORDED | {"cluster", "tuning"}
TESTED = {"perturbations", "shortcuts", "statistics"}
INSIDE = {
    "trainables": {
        "errors": set(),
        "augmentations": set(),
        "backbones": set(),
        "classes": set(),
        "cv2_threads": set(),
        "command": {"errors"},
        "config": GROUND,
        "storage": GROUND,
        "data": GROUND | {"storage"},
        "models": GROUND | {"config", "data", "storage"},
        "training": GROUND | {"config", "data", "models"},
        "two_phase": LOOP,
        "lr_finder": LOOP | {"two_phase"},
        "workers": LOOP | {"two_phase", "storage"},
        "predict": GROUND | {"data", "models"},
        "pretrain": GROUND | {"config", "data", "models", "storage"},
    },
    "search": {
        "records": set(),
        "settings": {"records"},
        "monitoring": {"records"},
        "cluster": RECORDED,
        "tuning": RECORDED | {"cluster"},
        "plan": SEARCHED,
        "confirm": SEARCHED | {"plan"},
        "interventions": SEARCHED,
        "doctor": SEARCHED,
        "export": SEARCHED,
        "serve": SEARCHED,
        "dry_run": SEARCHED | {"interventions"},
        "lr_find": SEARCHED,
        "replay": SEARCHED,
        "rerun": SEARCHED,
        "run": SEARCHED | {"dry_run", "interventions", "plan"},
        "__main__": set(),
    },
    "analysis": {
        "statistics": set(),
        "run": {"statistics"},
        "errors": {"statistics"},
        "trials": {"run", "statistics"},
        "perturbations": {"run", "statistics"},
        "heat_maps": {"errors", "statistics"},
        "shortcuts": {"perturbations", "statistics"},
        "page": {"errors", "heat_maps", "statistics"},
        "validate": TESTED,
        "compare": {"page", "run", "statistics"},
        "report": TESTED | {"run", "errors", "trials", "heat_maps", "page", "validate"},
    },
}
# Besides the standard library, what the ground of `analysis` is built of.
STATISTICS = {"analysis", "numpy", "scipy", "statsmodels"}
RAY_FOLDER = "trainables/workers/"  # the only one outside search that knows Ray
FILES = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
ENTRY_POINTS = [path for path in FILES if '__name__ == "__main__"' in path.read_text()]
PACKAGES = [path for path in FILES if path.name == "__init__.py"]


def inside(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(place: str) -> str:
    """The package, or file, of a room that a file lies in: "search/plan/costs.py" is of "plan"."""
    return place.split("/")[1].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names of all imports of a file, those inside functions included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_packages(path: Path) -> set[str]:
    """Top-level names of all imports of a file."""
    return {name.partition(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", FILES, ids=inside)
def test_a_file_imports_only_through_its_rooms_doors(path: Path):
    room = path.relative_to(ROOT).parts[0]
    others = imported_packages(path) & (ROOMS.keys() - {room})
    assert others <= ROOMS[room]
    if room != "search" and not inside(path).startswith(RAY_FOLDER):
        assert "ray" not in imported_packages(path)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.relative_to(ROOT).parts[0] in INSIDE], ids=inside
)
def test_inside_a_room_imports_go_upwards(path: Path):
    room, part = path.relative_to(ROOT).parts[0], part_of(inside(path))
    if part == "__init__":
        return
    own = {name.split(".")[1] for name in imported(path) if name.startswith(f"{room}.")}
    assert own - {part} <= INSIDE[room][part]


def test_the_statistics_know_no_files_and_no_models():
    ground = [path for path in FILES if inside(path).startswith("analysis/statistics/")]
    used = set().union(*map(imported_packages, ground))
    assert used - sys.stdlib_module_names <= STATISTICS


@pytest.mark.parametrize("room", INSIDE)
def test_the_table_has_every_package_and_no_circle(room: str):
    there = {part_of(inside(path)) for path in FILES if inside(path).startswith(f"{room}/")}
    assert there - {"__init__"} == set(INSIDE[room])
    assert [*TopologicalSorter(INSIDE[room]).static_order()]  # raises CycleError at a circle


@pytest.mark.parametrize("path", PACKAGES, ids=inside)
def test_a_package_begins_with_what_it_is_for_and_nothing_else(path: Path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


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


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=inside)
def test_an_entry_point_is_short(path: Path):
    tree = ast.parse(path.read_text())
    main = next(node for node in tree.body if getattr(node, "name", "") == "main")
    assert main.end_lineno - main.lineno < 80


def test_no_pickle_is_read_or_written():
    users = [path for path in FILES if "pickle" in imported_packages(path)]
    assert users == []
