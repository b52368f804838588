"""The sections that rest on the run's own records, in the order of report.json."""

from typing import Any

from analysis.page import figures
from analysis.page.curves import anytime_figures
from analysis.page.importance import importance_figures
from analysis.page.rows import effects_figures, unfreeze_figures
from analysis.report.provenance import audit_section, reproduce_section
from analysis.report.section import Parts, Section
from analysis.report.sources import Records
from analysis.report.summary import claims_section, limits_section, swot_section
from analysis.trials.anytime import anytime_section
from analysis.trials.early_stopping import early_stopping_section
from analysis.trials.effects import effects_section
from analysis.trials.importance import importance_section
from analysis.trials.unfreeze import unfreeze_section
from analysis.trials.winner import confirmation_section, search_section, trajectory_section
from analysis.validate.scores import detector_section


def _trajectory(records: Records, parts: Parts) -> dict[str, Any] | None:
    run = records.run
    if run.best is None:
        return None
    return trajectory_section(run.epochs, run.best["trial"], run.best["epoch"])


def _unfreeze(records: Records, parts: Parts) -> dict[str, Any] | None:
    run = records.run
    if run.best is None:
        return None
    labels, predictions = records.validation
    return unfreeze_section(
        labels, predictions, run.epochs, run.best["trial"], **records.making.few
    )


def _search(records: Records, parts: Parts) -> dict[str, Any]:
    run = records.run
    return search_section(run.trials, run.epochs, run.best, records.num_val_images)


def _importance(records: Records, parts: Parts) -> dict[str, Any]:
    run = records.run
    return importance_section(
        run.events(),
        run.epochs,
        run.class_names,
        num_val_images=records.num_val_images,
        seed=records.making.seed,
    )


def _effects(records: Records, parts: Parts) -> dict[str, Any]:
    run = records.run
    return effects_section(run.events(), run.epochs, num_val_images=records.num_val_images)


def _anytime(records: Records, parts: Parts) -> dict[str, Any]:
    return anytime_section(
        records.run.events(), records.settings, num_val_images=records.num_val_images
    )


def _early_stopping(records: Records, parts: Parts) -> dict[str, Any]:
    run = records.run
    return early_stopping_section(
        run.events(), run.trials, run.epochs, records.settings, **records.making.draws
    )


def _confirmation(records: Records, parts: Parts) -> dict[str, Any] | None:
    best = records.run.best
    return confirmation_section(
        records.run.confirmation, best["trial"] if best else None, parts["verdict"]["macro_f1"]
    )


def _reproduce(records: Records, parts: Parts) -> dict[str, Any]:
    making = records.making
    return reproduce_section(records.run, command=making.command, device=making.device)


RECORD_SECTIONS = (
    Section(
        name="trajectory",
        question="How did the winner get there?",
        compute=_trajectory,
        place=210,
        template="training",
        navigation="Training",
        figures=figures.training_figures,
        drawn_from=("trajectory", "search"),
        is_optional=True,
    ),
    Section(
        name="unfreeze",
        question="Does accuracy jump where the backbone is unfrozen?",
        compute=_unfreeze,
        place=220,
        figures=unfreeze_figures,
        is_optional=True,
    ),
    Section(
        name="search",
        question="What did the trials reach?",
        compute=_search,
        place=230,
        navigation="Search",
    ),
    Section(
        name="importance",
        question="Which settings mattered?",
        compute=_importance,
        place=240,
        figures=importance_figures,
    ),
    Section(
        name="effects",
        question="What did each setting change, the others held fixed?",
        compute=_effects,
        place=250,
        figures=effects_figures,
    ),
    Section(
        name="anytime",
        question="What had the search found by when?",
        compute=_anytime,
        place=260,
        figures=anytime_figures,
    ),
    Section(
        name="early_stopping",
        question="What did stopping most trials early cost?",
        compute=_early_stopping,
        place=270,
        figures=figures.ranking_figures,
    ),
    Section(
        name="confirmation",
        question="What do fresh seeds make of the best configurations?",
        compute=_confirmation,
        place=280,
        navigation="Confirmation",
        figures=figures.confirmation_figures,
    ),
    Section(
        name="audit",
        question="What was found in the data before the search?",
        compute=lambda records, parts: (
            audit_section(records.run.audit) if records.run.audit else None
        ),
        place=310,
    ),
    Section(
        name="detectors",
        question="How good are the detectors of shortcuts?",
        compute=lambda records, parts: detector_section(records.making.scores),
        place=300,
        navigation="Detectors",
    ),
    Section(
        name="reproduce",
        question="With which commands, versions and machines was this made?",
        compute=_reproduce,
        place=330,
        navigation="Reproduce",
    ),
    Section(
        name="claims",
        question="What is confirmed, refuted, open or not tested?",
        compute=lambda records, parts: claims_section(parts),
        place=20,
        navigation="Claims",
    ),
    Section(
        name="swot",
        question="What does that make of strengths, weaknesses, opportunities and threats?",
        compute=lambda records, parts: swot_section(parts),
        place=290,
        navigation="SWOT",
    ),
    Section(
        name="limits",
        question="What does this report not show?",
        compute=lambda records, parts: limits_section(dict(parts)),
        place=320,
        navigation="Limits",
    ),
)
