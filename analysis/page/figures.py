"""The report's dictionary as one self-contained HTML page; computes nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from analysis.errors.classes import weakest
from analysis.heat_maps.evidence import HeatMaps
from analysis.page import plots
from analysis.page.curves import anytime_figures, calibration_figures
from analysis.page.environment import page_environment
from analysis.page.importance import importance_figures
from analysis.page.interventions import (
    background_figures,
    chassis_figures,
    colour_figures,
    interventions_figure,
    texture_figures,
)
from analysis.page.pairs import pairs_figures
from analysis.page.pictures import evidence_figures, gallery_entries, gallery_figures
from analysis.page.rows import class_contrasts_figures, effects_figures, unfreeze_figures
from analysis.page.svg import COLUMN_PX, svg_figure
from analysis.statistics.metrics import FloatArray

Images = npt.NDArray[np.uint8]  # (N, S, S, 3), RGB

ROW_PX = 38  # height of a class in the dot plot
# What draws a section's figures, and the section.
SECTION_FIGURES: tuple[tuple[Callable[[dict[str, Any]], dict[str, Markup]], str], ...] = (
    (pairs_figures, "pairs"),
    (class_contrasts_figures, "class_contrasts"),
    (calibration_figures, "calibration"),
    (unfreeze_figures, "unfreeze"),
    (background_figures, "background"),
    (colour_figures, "colour"),
    (texture_figures, "texture"),
    (chassis_figures, "chassis"),
    (importance_figures, "importance"),
    (effects_figures, "effects"),
    (anytime_figures, "anytime"),
)
LABELS_PX, CELL_PX, LEAST_CELL_PX = 110, 35, 15  # of the confusion matrix


def render_html(report: dict[str, Any], shown: dict[str, Markup]) -> str:
    """Fill the template with the contents of report.json, their figures and the pictures shown.

    `shown` is what `pictures` makes; empty where nothing could be asked.
    """
    template = page_environment().get_template("report.html.j2")
    return template.render(**report, figures=figures(report) | shown)


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


def figures(report: dict[str, Any]) -> dict[str, Markup]:
    """Every figure as inline SVG, by name."""
    drawn: dict[str, Markup] = {}
    for draw, name in SECTION_FIGURES:
        if report.get(name):
            drawn |= draw(report[name])
    if ranking := report["early_stopping"]["ranking"]:
        drawn["ranking"] = ranking_figure(ranking)
    if confirmation := report["confirmation"]:
        drawn["confirmation"] = confirmation_figure(confirmation)
    if report["trajectory"]:
        drawn |= training_figures(report["trajectory"], report["search"]["curves"])
    return drawn if report["untested"] else drawn | answer_figures(report)


def training_figures(trajectory: dict[str, Any], curves: list[dict[str, Any]]) -> dict[str, Markup]:
    """The winner's curves, and those of all trials."""
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


def answer_figures(report: dict[str, Any]) -> dict[str, Markup]:
    """What the checkpoint made of the sealed test."""
    verdict = report["verdict"]
    confusion = report["confusion"]
    counts, shares, names = confusion["counts"], confusion["shares"], confusion["class_names"]
    classes, macro_f1 = weakest(report["per_class"]["classes"]), report["per_class"]["macro_f1"]
    kinds = [entry["kind"] for entry in classes]
    matrix_px = LABELS_PX + max(
        min(CELL_PX * len(names), COLUMN_PX - LABELS_PX), LEAST_CELL_PX * len(names)
    )
    together = interventions_figure(report["background"], report["colour"], report["texture"])
    return ({"interventions": together} if together else {}) | {
        "gate": svg_figure(
            lambda axes: plots.gate_interval(axes, _triple(verdict["macro_f1"]), verdict["gate"]),
            size_px=(COLUMN_PX, 78),
            description=verdict["sentence"],
        ),
        "confusion": svg_figure(
            lambda axes: plots.confusion_heatmap(axes, counts, names, shares),
            size_px=(matrix_px, matrix_px),
            description="Confusion matrix on the sealed test, one row a true class.",
        ),
        "class_f1": svg_figure(
            lambda axes: plots.class_f1(
                axes, [c["name"] for c in classes], kinds, _f1_intervals(classes), macro_f1
            ),
            size_px=(COLUMN_PX, 80 + ROW_PX * len(classes)),
            description="F1 of each class with its interval, and the macro mean.",
        ),
    }


def ranking_figure(ranking: dict[str, Any]) -> Markup:
    """Of a run that spared some of the trials that ASHA condemned."""
    epochs = ranking["epochs"]
    in_order = np.array([_triple(row["pairs_in_order"]) for row in epochs]).reshape(-1, 3)
    return svg_figure(
        lambda axes: plots.pairs_in_order(
            axes,
            [row["epoch"] for row in epochs],
            in_order,
            [row["is_rung"] for row in epochs],
            ranking["threshold"],
        ),
        description="Share of the pairs of trials in the order of their ends, by phase-2 epoch.",
    )


def confirmation_figure(confirmation: dict[str, Any]) -> Markup:
    """Of a run whose best configurations were trained again with fresh seeds."""
    rows, meter = confirmation["configurations"], confirmation["meter"]
    test = _triple(meter["test"]) if meter and meter["test"] else None
    return svg_figure(
        lambda axes: plots.fresh_seeds(axes, rows, confirmation["reported_trial"], test),
        size_px=(COLUMN_PX, 110 + ROW_PX * (len(rows) + (test is not None))),
        description="Validation macro-F1 as selected and with fresh seeds, by configuration.",
    )


def _triple(estimate: dict[str, float | None]) -> list[float]:
    """Value, lower and upper; NaN where undefined."""
    return [np.nan if number is None else number for number in estimate.values()]


def _f1_intervals(classes: list[dict[str, Any]]) -> FloatArray:
    """(value, lower, upper) of each class' F1, shape (K, 3)."""
    return np.array([_triple(entry["f1"]) for entry in classes])
