"""The whole report as one JSON-able dictionary: computed here, only rendered elsewhere."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.calibration import calibration_section
from analysis.errors.class_contrasts import class_contrasts_section
from analysis.errors.classes import Kinds, confusion_section, per_class_section
from analysis.errors.gallery import gallery_section
from analysis.errors.label_issues import label_issues_section
from analysis.errors.overfitting import overfitting_section
from analysis.errors.systematic import systematic_section
from analysis.heat_maps.evidence import evidence_section
from analysis.heat_maps.section import attribution_section
from analysis.report.examine import Examined
from analysis.report.provenance import audit_section, model_section, reproduce_section
from analysis.report.root_cause import human_pair_rates, root_causes
from analysis.report.summary import claims_section, limits_section, swot_section
from analysis.report.untested import untested_section
from analysis.report.verdict import untested_verdict, verdict_section
from analysis.run.reader import Run
from analysis.shortcuts.background import ANY_CLASS_CLAIM
from analysis.shortcuts.colour import GREEN_FROG_CLAIM
from analysis.shortcuts.sections import shortcut_sections
from analysis.statistics import metrics
from analysis.statistics.intervals import CONFIDENCE, affordable_resamples, bootstrap
from analysis.statistics.metrics import IntArray
from analysis.trials.sections import losses_to_the_selected, the_search, training
from analysis.trials.winner import confirmation_section
from analysis.validate.scores import detector_section, downgrade
from trainables.data.spec import DataSpec
from trainables.storage.files import without_nan

FORMAT_VERSION = 2
FEW_RESAMPLES = 2_000  # where a draw costs more than counting a matrix
BOOTSTRAPPED = {"macro_f1": metrics.macro_f1, "accuracy": metrics.accuracy, "f1": metrics.f1}

# Claim -> the detector whose flags it repeats. The others ask what `analysis.validate` does not.
BY_DETECTORS = ("background", "sky", "texture", "colour")  # sections whose claims need a proof
VALIDATED = {ANY_CLASS_CLAIM.claim: "background", GREEN_FROG_CLAIM.claim: "colour"}


@dataclass(frozen=True, kw_only=True)
class Making:
    """How a report is made.

    Attributes:
        num_resamples: bootstrap draws.
        seed: of the bootstrap.
        command: the command line that makes this report.
        device: where the logits were computed.
        scores: of the detectors, as `analysis.validate` measured them; None where it has not.
    """

    num_resamples: int
    seed: int
    command: str
    device: str
    scores: dict[str, Any] | None

    @property
    def draws(self) -> dict[str, int]:
        return {"num_resamples": self.num_resamples, "seed": self.seed}

    @property
    def few(self) -> dict[str, int]:
        """Draws where one costs more than counting a matrix."""
        return {"num_resamples": min(self.num_resamples, FEW_RESAMPLES), "seed": self.seed}


def build_report(
    run: Run, examined: Examined, pairs: dict[str, Any], making: Making
) -> dict[str, Any]:
    """Every section of the report, without NaN.

    Args:
        run: the run folder; its journal already holds this opening of the test.
        examined: what the checkpoint answered.
        pairs: `pairs_section` of the same test.
        making: how.
    """
    labels, logits, names = examined.test.labels, examined.logits, run.class_names
    confusion = metrics.confusion_matrix(labels, logits.argmax(axis=1), len(names))
    kinds, few = kinds_of(run), making.few
    num_resamples = affordable_resamples(making.num_resamples, len(names))
    samples = bootstrap(
        confusion,
        BOOTSTRAPPED,
        num_resamples=num_resamples,
        rng=np.random.default_rng(making.seed),
    )
    answers: dict[str, Any] = {
        "untested": None,
        "verdict": verdict_section(confusion, samples),
        "confusion": confusion_section(confusion, names),
        "pairs": pairs,
        "per_class": per_class_section(confusion, names, kinds, samples["f1"]),
        "class_contrasts": class_contrasts_section(confusion, names, kinds, **few),
        "systematic": systematic_section(confusion, labels, examined.fresh.predictions, **few)
        | {"fresh": examined.fresh.to_dict()},
        "calibration": calibration_section(labels, logits, **few),
        **interventions(examined, pairs, making.scores),
        "attribution": attribution_section(examined.explained, **few),
        "gallery": gallery_section(examined.test.images, labels, logits, names, seed=making.seed),
        "evidence": evidence_section(
            examined.errors,
            labels,
            logits,
            names,
            heat=examined.heat,
            variant_logits=examined.swapped_logits,
            seed=examined.variants.record["seed"],
        ),
        "label_issues": label_issues_section(labels, logits, names, seed=making.seed),
        "overfitting": overfitting_section(
            examined.train_right, examined.val_right, losses_to_the_selected(run)
        ),
    }
    answers["root_causes"] = root_causes(
        pairs,
        background=answers["background"],
        colour=answers["colour"],
        texture=answers["texture"],
        labels=answers["label_issues"],
        human_rates=human_pair_rates(names, DataSpec.from_dict(run.experiment["data"]).source_name),
        run_folder=run.path,
    )
    return _whole(run, answers, (examined.val_labels, examined.val_predictions), making)


def kinds_of(run: Run) -> Kinds:
    """Which classes of a run are rigid and which organic."""
    return Kinds.of_run(run.experiment.get("settings", {}), run.class_names)


def build_untested_report(run: Run, reason: str, making: Making) -> dict[str, Any]:
    """The report on a run whose checkpoint answers nothing: what its own records say.

    Args:
        run: the run folder.
        reason: why, in a clause.
        making: how.
    """
    answers = {
        "untested": untested_section(run.class_names, kinds_of(run), reason),
        "verdict": untested_verdict(reason),
    }
    return _whole(run, answers, None, making)


def _whole(
    run: Run,
    answers: dict[str, Any],
    validation: tuple[IntArray, npt.NDArray[np.integer]] | None,
    making: Making,
) -> dict[str, Any]:
    """The sections in `answers`, those about the run's own records, and those that sum up both.

    `validation` has the labels (V,) and the winner's predictions after each epoch (E, V).
    """
    report: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "title": str(run.experiment["name"]),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": making.command,
        "method": {"confidence": CONFIDENCE, **making.draws},
        "model": model_section(run),
        **answers,
        **training(run, validation, making.few),
        **the_search(run, making.draws),
        "confirmation": confirmation_section(
            run.confirmation,
            run.best["trial"] if run.best else None,
            answers["verdict"]["macro_f1"],
        ),
        "audit": audit_section(run.audit) if run.audit else None,
        "detectors": detector_section(making.scores),
        "reproduce": reproduce_section(run, command=making.command, device=making.device),
    }
    report["claims"] = claims_section(report)
    report["swot"] = swot_section(report)
    report["limits"] = limits_section(report)
    return without_nan(report)


def interventions(
    examined: Examined, pairs: dict[str, Any], scores: dict[str, Any] | None
) -> dict[str, Any]:
    """What changed pictures show; what no detector's proof stands behind is not confirmed."""
    test = examined.test
    sections = shortcut_sections(
        examined.variants, test.images, test.labels, examined.logits, pairs=pairs
    )
    judged = {name: downgraded(sections[name], scores) for name in BY_DETECTORS}
    return sections | judged


def downgraded(section: dict[str, Any], scores: dict[str, Any] | None) -> dict[str, Any]:
    """A section whose claims are as strong as the detectors that they rest on."""
    claims = []
    for claim in section["claims"]:
        detector = VALIDATED.get(claim["claim"])
        claims += downgrade([claim], scores["detectors"][detector] if scores and detector else None)
    return section | {"claims": claims}
