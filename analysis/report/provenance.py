"""What a report is of: the checkpoint, its data, the audit, and how to make it all again."""

import os
import platform
from importlib.metadata import version
from typing import Any

from analysis.run.reader import Run
from trainables.data.audit import AuditResult

REPORTED_VERSIONS = ("torch", "numpy", "scipy", "pandas", "matplotlib")


SELECTED = ("trial", "epoch", "phase", "checkpoint", "config")  # of a checkpoint; None without one


def model_section(run: Run) -> dict[str, Any]:
    """Which checkpoint, trained on which data by which code, and who has seen the test."""
    openings = run.test_openings()
    data, best = run.experiment["data"], run.best or dict.fromkeys(SELECTED)
    return {
        **{name: best[name] for name in SELECTED},
        "data": data,
        "data_fingerprint": run.experiment["data_fingerprint"],
        "git_commit": run.experiment.get("git_commit"),
        "seeds": {
            "search": run.experiment["seed"],
            "data": data.get("seed"),
            "trial": (best["config"] or {}).get("seed"),
        },
        "test_openings": {
            "count": len(openings),
            "events": [{"time": event.get("time"), "by": event.get("by")} for event in openings],
        },
    }


def audit_section(audit: AuditResult) -> dict[str, Any]:
    """What the pre-flight audit found before the search began."""
    return {
        "passed": audit.passed,
        "faults": list(audit.faults),
        "warnings": list(audit.warnings),
        "notes": list(audit.notes),
        "splits": [
            {
                "name": name,
                "count": figures["count"],
                "least_per_class": min(figures["class_counts"].values()),
                "most_per_class": max(figures["class_counts"].values()),
                "sha256": figures["sha256"],
            }
            for name, figures in audit.splits.items()
        ],
        "duplicates": audit.duplicates,
        "seconds": audit.seconds,
    }


def reproduce_section(run: Run, *, command: str, device: str) -> dict[str, Any]:
    """Commands, versions and hardware of the search and of this report."""
    experiment = run.experiment
    return {
        "search": {
            "command": experiment["command"],
            "created": experiment.get("created"),
            "versions": experiment.get("versions", {}),
            "hardware": experiment.get("hardware", {}),
        },
        "report": {
            "command": command,
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in REPORTED_VERSIONS},
            },
            "hardware": {
                "device": device,
                "machine": platform.machine(),
                "cpu_count": os.cpu_count(),
            },
        },
    }
