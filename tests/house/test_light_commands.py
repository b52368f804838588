"""Every command answers --help, and refuses what it can, before anything heavy is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "ray", "pandas", "albumentations", "cv2", "sklearn", "scipy"}
# Calls main in a fresh interpreter, once for each list of arguments; prints the statuses and what
# heavy modules were imported on the way.
CALL = """
import json, sys
from search.__main__ import entry_point
from trainables.command import run_main
module, calls, heavy = json.loads(sys.argv[1])
statuses = []
for arguments in calls:
    sys.argv = [module, *arguments]
    try:
        statuses.append(run_main(entry_point(module).main))
    except SystemExit as end:
        statuses.append(end.code)
print(json.dumps([statuses, sorted(set(heavy) & sys.modules.keys())]))
"""
REFUSED = {
    "search.run": ["--data", "imagefolder:/no/such/folder"],
    "search.plan": ["--price-per-hour", "-1"],
    "search.lr_find": ["--data", "imagefolder:/no/such/folder"],
    "search.confirm": ["/no/such/run"],
    "search.export": ["/no/such/run"],
    "search.rerun": ["/no/such/run", "0"],
    "search.replay": ["/no/such/run"],
    "search.doctor": ["/no/such/cluster.yaml"],
    "search.serve": ["/no/such/export"],
    "search": ["cofnirm"],
    "trainables.predict": ["/no/such/export", "picture.png"],
    "trainables.pretrain": ["--data", "imagefolder:/no/such", "--out", "w.safetensors"],
    "trainables.data.audit": ["--spec", "/no/such/spec.json", "--out", "audit.json"],
    "analysis.report": ["/no/such/run"],
    "analysis.compare": ["/no/such/run"],
    "analysis.validate": ["--num-biased", "0"],
}
ENTRY_POINTS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for room in ("search", "trainables", "analysis", "spaces")
    for path in (ROOT / room).rglob("*.py")
    if '__name__ == "__main__"' in path.read_text()
}


def call(module: str, *calls: list[str]) -> tuple[list[int], list[str], str]:
    """The status of each call, heavy modules, and standard error."""
    told = subprocess.run(
        [sys.executable, "-c", CALL, json.dumps([module, calls, sorted(HEAVY)])],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    statuses, heavy = json.loads(told.stdout.splitlines()[-1])
    return statuses, heavy, told.stderr


def test_no_command_is_left_out():
    assert set(REFUSED) == ENTRY_POINTS


@pytest.mark.parametrize("module", REFUSED)
def test_help_and_a_refusal_are_light(module):
    statuses, heavy, error = call(module, ["--help"], REFUSED[module])
    assert (statuses, heavy) == ([0, 2], [])
    assert error.startswith("error: ")
    assert all(line.startswith("error: ") for line in error.splitlines())
    assert "allowed: " in error


def test_a_dry_run_is_light(tmp_path):
    flags = ["--dry-run", "--storage", str(tmp_path / "runs")]
    calls = [[*flags, "--preset", preset] for preset in ("demo", "laptop")]
    assert call("search.run", *calls) == ([0, 0], [], "")
    assert not list(tmp_path.iterdir())
