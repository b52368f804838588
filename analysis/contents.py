"""The whole report as one JSON-able dictionary: computed here, only rendered elsewhere."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import metrics
from analysis.confusion import confusion_section
from analysis.early_stopping import early_stopping_section
from analysis.files import without_nan
from analysis.limits import limits_section
from analysis.optimism import confirmation_section
from analysis.per_class import per_class_section
from analysis.run_reader import Run
from analysis.selection import search_section
from analysis.statistics import CONFIDENCE, bootstrap
from analysis.trajectory import trajectory_section
from analysis.verdict import verdict_section
from trainables.data.audit import AuditResult

FORMAT_VERSION = 1
BOOTSTRAPPED = {"macro_f1": metrics.macro_f1, "accuracy": metrics.accuracy, "f1": metrics.f1}
REPORTED_VERSIONS = ("torch", "numpy", "scipy", "pandas", "matplotlib")


def build_report(
    run: Run,
    labels: npt.NDArray[np.int64],
    logits: npt.NDArray[np.float32],
    *,
    num_resamples: int,
    seed: int,
    command: str,
    device: str,
) -> dict[str, Any]:
    """Every section of the report, without NaN.

    Args:
        run: the run folder; its journal already holds this opening of the test.
        labels: true classes of the sealed test, shape (N,).
        logits: the checkpoint's logits, shape (N, K).
        num_resamples: bootstrap draws.
        seed: of the bootstrap.
        command: the command line that makes this report.
        device: where the logits were computed.
    """
    confusion = metrics.confusion_matrix(labels, logits.argmax(axis=1), len(run.class_names))
    samples = bootstrap(
        confusion, BOOTSTRAPPED, num_resamples=num_resamples, rng=np.random.default_rng(seed)
    )
    verdict = verdict_section(confusion, samples)
    report: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "title": str(run.experiment["name"]),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "method": {"confidence": CONFIDENCE, "num_resamples": num_resamples, "seed": seed},
        "verdict": verdict,
        "model": model_section(run),
        "confusion": confusion_section(confusion, run.class_names),
        "per_class": per_class_section(confusion, run.class_names, samples["f1"]),
        "trajectory": trajectory_section(run.epochs, run.best["trial"], run.best["epoch"]),
        "search": search_section(
            run.trials, run.epochs, run.best, int(run.experiment["data"]["val_size"])
        ),
        "early_stopping": early_stopping_section(
            run.events(),
            run.trials,
            run.epochs,
            run.experiment.get("settings", {}),
            num_resamples=num_resamples,
            seed=seed,
        ),
        "confirmation": confirmation_section(run.confirmation, run.best, verdict),
        "audit": audit_section(run.audit) if run.audit else None,
        "reproduce": reproduce_section(run, command=command, device=device),
    }
    report["limits"] = limits_section(report)
    return without_nan(report)


def model_section(run: Run) -> dict[str, Any]:
    """Which checkpoint, trained on which data by which code, and who has seen the test."""
    openings = run.test_openings()
    data = run.experiment["data"]
    return {
        "trial": run.best["trial"],
        "epoch": run.best["epoch"],
        "phase": run.best["phase"],
        "checkpoint": run.best["checkpoint"],
        "config": run.best["config"],
        "data": data,
        "data_fingerprint": run.experiment["data_fingerprint"],
        "git_commit": run.experiment.get("git_commit"),
        "seeds": {
            "search": run.experiment["seed"],
            "data": data.get("seed"),
            "trial": run.best["config"].get("seed"),
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
