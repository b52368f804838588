"""What was measured of a run's model, each figure with the pictures that it rests on."""

import json
from dataclasses import dataclass
from typing import Any

from search.records.folder import RunFolder

REPORT_VERSION = 2  # of report.json


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        name: "macro-F1" or "accuracy".
        kind: Hugging Face's name of the metric.
        value: a share.
        interval: lower and upper end; None where there is none that would be true.
        num_images: pictures it rests on; None where that was not recorded.
        split: "test" or "validation".
        remark: how to take it.
    """

    name: str
    kind: str
    value: float
    interval: tuple[float, float] | None
    num_images: int | None
    split: str
    remark: str


@dataclass(frozen=True, kw_only=True)
class ModelFigures:
    """Figures of a model, the report on it (report.json), and what is missing, in sentences."""

    figures: tuple[Figure, ...]
    report: dict[str, Any] | None
    missing: tuple[str, ...]


def figures_of(run: RunFolder, best: dict[str, Any], *, final: bool) -> ModelFigures:
    """The report's figures where there is a report on this very checkpoint, else validation's.

    Args:
        run: the run folder.
        best: best.json, or final.json.
        final: the model was trained on all pictures, so that no figure of it exists.
    """
    if final:
        note = (
            "No figure of this model was measured: it was trained on all pictures, validation "
            "included, and the sealed test split was not opened for it."
        )
        return ModelFigures(figures=(), report=None, missing=(note,))
    report, missing = _read_report(run, best)
    if report is None:
        return ModelFigures(figures=_validation(run, best), report=None, missing=missing)
    verdict = report["verdict"]
    figures = tuple(
        Figure(
            name=name,
            kind=kind,
            value=verdict[key]["value"],
            interval=(verdict[key]["lower"], verdict[key]["upper"]),
            num_images=verdict["num_images"],
            split="test",
            remark=_openings(report["model"]["test_openings"]["count"]),
        )
        for name, kind, key in (
            ("macro-F1", "f1", "macro_f1"),
            ("accuracy", "accuracy", "accuracy"),
        )
    )
    return ModelFigures(figures=figures, report=report, missing=())


def _openings(count: int) -> str:
    times = "once" if count == 1 else f"{count} times, so it may flatter"
    return f"sealed test split, opened {times}; the interval is over pictures, of one training seed"


def _validation(run: RunFolder, best: dict[str, Any]) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            name=name,
            kind=kind,
            value=best[key],
            interval=None,
            num_images=run.read_experiment()["data"].get("val_size"),
            split="validation",
            remark="optimistic: the checkpoint was selected for its macro-F1 on these pictures",
        )
        for name, kind, key in (
            ("macro-F1", "f1", "val_macro_f1"),
            ("accuracy", "accuracy", "val_accuracy"),
        )
        if key in best
    )


def _read_report(
    run: RunFolder, best: dict[str, Any]
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The report, or why there is none to quote."""
    path = run.root / "report" / "report.json"
    again = "`python -m analysis.report RUN` and then the export again would add them"
    absent = (
        f"No figure on the sealed test split, no interval and no verdict of the report: {again}."
    )
    if not path.exists():
        return None, (absent,)
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        of = {key: report["model"][key] for key in ("trial", "epoch", "checkpoint")}
        version = report["format_version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, (f"The report that is there cannot be read. {absent}",)
    if version != REPORT_VERSION:
        return None, (f"The report that is there has format_version {version!r}. {absent}",)
    if of != {key: best[key] for key in of}:
        other = f"trial {of['trial']}, epoch {of['epoch']}"
        return None, (f"The report that is there is of another checkpoint ({other}). {absent}",)
    return report, ()
