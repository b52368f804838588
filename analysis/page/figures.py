"""The figures of the gate, the classes, the training and the confirmation, and all pictures."""

from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from analysis.errors.classes import weakest
from analysis.heat_maps.evidence import HeatMaps
from analysis.page import plots
from analysis.page.pictures import evidence_figures, gallery_entries, gallery_figures
from analysis.page.svg import COLUMN_PX, svg_figure
from analysis.statistics.metrics import FloatArray

Images = npt.NDArray[np.uint8]  # (N, S, S, 3), RGB

ROW_PX = 38  # height of a class in the dot plot
LABELS_PX, CELL_PX, LEAST_CELL_PX = 110, 35, 15  # of the confusion matrix


def pictures(
    report: dict[str, Any], images: Images, heat: HeatMaps, swapped: dict[str, Images]
) -> dict[str, Markup]:
    """Every thumbnail of the page, by name.

    Args:
        report: as report.json has it.
        images: of the sealed test, uint8 (N, S, S, 3).
        heat: maps of the errors on the evidence sheets.
        swapped: these errors' pictures with another background, uint8 (M, S, S, 3), by its name.
    """
    shown = [*gallery_entries(report["gallery"]), *report["label_issues"]["pictures"]]
    return gallery_figures(shown, images) | evidence_figures(
        report["evidence"], images, heat, swapped
    )


def training_figures(trajectory: dict[str, Any], search: dict[str, Any]) -> dict[str, Markup]:
    """The winner's curves, and those of all trials."""
    curves = search["curves"]
    return {
        "accuracy": svg_figure(
            lambda axes: plots.accuracy_curves(axes, trajectory),
            description="Accuracy and macro-F1 of the winning trial by epoch.",
        ),
        "loss": svg_figure(
            lambda axes: plots.loss_curves(axes, trajectory),
            description="Training and validation loss of the winning trial by epoch.",
        ),
        "search": svg_figure(
            lambda axes: plots.search_curves(axes, curves, trajectory),
            description="Validation macro-F1 of every trial by epoch.",
        ),
    }


def gate_figures(verdict: dict[str, Any]) -> dict[str, Markup]:
    """Of a checkpoint that was tested; none of another."""
    if verdict["macro_f1"] is None:
        return {}
    return {
        "gate": svg_figure(
            lambda axes: plots.gate_interval(axes, _triple(verdict["macro_f1"]), verdict["gate"]),
            size_px=(COLUMN_PX, 78),
            description=verdict["sentence"],
        )
    }


def confusion_figures(confusion: dict[str, Any]) -> dict[str, Markup]:
    counts, shares, names = confusion["counts"], confusion["shares"], confusion["class_names"]
    matrix_px = LABELS_PX + max(
        min(CELL_PX * len(names), COLUMN_PX - LABELS_PX), LEAST_CELL_PX * len(names)
    )
    return {
        "confusion": svg_figure(
            lambda axes: plots.confusion_heatmap(axes, counts, names, shares),
            size_px=(matrix_px, matrix_px),
            description="Confusion matrix on the sealed test, one row a true class.",
        )
    }


def class_figures(per_class: dict[str, Any]) -> dict[str, Markup]:
    classes, macro_f1 = weakest(per_class["classes"]), per_class["macro_f1"]
    kinds = [entry["kind"] for entry in classes]
    return {
        "class_f1": svg_figure(
            lambda axes: plots.class_f1(
                axes, [c["name"] for c in classes], kinds, _f1_intervals(classes), macro_f1
            ),
            size_px=(COLUMN_PX, 80 + ROW_PX * len(classes)),
            description="F1 of each class with its interval, and the macro mean.",
        )
    }


def ranking_figures(early_stopping: dict[str, Any]) -> dict[str, Markup]:
    """Of a run that spared some of the trials that ASHA condemned; none of another."""
    ranking = early_stopping["ranking"]
    if not ranking:
        return {}
    epochs = ranking["epochs"]
    in_order = np.array([_triple(row["pairs_in_order"]) for row in epochs]).reshape(-1, 3)
    drawn = svg_figure(
        lambda axes: plots.pairs_in_order(
            axes,
            [row["epoch"] for row in epochs],
            in_order,
            [row["is_rung"] for row in epochs],
            ranking["threshold"],
        ),
        description="Share of the pairs of trials in the order of their ends, by phase-2 epoch.",
    )
    return {"ranking": drawn}


def confirmation_figures(confirmation: dict[str, Any]) -> dict[str, Markup]:
    """Of a run whose best configurations were trained again with fresh seeds."""
    rows, meter = confirmation["configurations"], confirmation["meter"]
    test = _triple(meter["test"]) if meter and meter["test"] else None
    drawn = svg_figure(
        lambda axes: plots.fresh_seeds(axes, rows, confirmation["reported_trial"], test),
        size_px=(COLUMN_PX, 110 + ROW_PX * (len(rows) + (test is not None))),
        description="Validation macro-F1 as selected and with fresh seeds, by configuration.",
    )
    return {"confirmation": drawn}


def _triple(estimate: dict[str, float | None]) -> list[float]:
    """Value, lower and upper; NaN where undefined."""
    return [np.nan if number is None else number for number in estimate.values()]


def _f1_intervals(classes: list[dict[str, Any]]) -> FloatArray:
    """(value, lower, upper) of each class' F1, shape (K, 3)."""
    return np.array([_triple(entry["f1"]) for entry in classes])
