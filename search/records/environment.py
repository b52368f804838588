"""What a run ran on: versions, hardware, commit."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("ray", "optuna", "torch", "torchvision", "albumentations", "scikit-learn", "numpy")


def describe_environment() -> dict[str, Any]:
    """Versions, hardware and commit, as experiment.json records them."""
    return {
        "git_commit": git_commit(),
        "versions": versions(),
        "hardware": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        },
        "command": " ".join(["python -m search.run", *sys.argv[1:]]),
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages that numbers depend on."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def differing_versions(recorded: dict[str, str]) -> list[str]:
    """A line for each package of another version than recorded."""
    return [
        f"{package} is {here}; the run was made with {recorded.get(package)}"
        for package, here in versions().items()
        if here != recorded.get(package)
    ]


def git_commit() -> str | None:
    """The commit of this checkout, "-dirty" added when files differ; None outside a checkout."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
