"""The sections that rest on the checkpoint's answers, in the order of report.json."""

from typing import Any

from analysis.errors import (
    calibration,
    class_contrasts,
    label_issues,
    overfitting,
    pairs,
    systematic,
)
from analysis.errors.classes import confusion_section, per_class_section
from analysis.errors.gallery import gallery_section
from analysis.heat_maps import section as heat_maps
from analysis.heat_maps.evidence import evidence_section
from analysis.page import figures, interventions
from analysis.page.curves import calibration_figures
from analysis.page.pairs import pairs_figures
from analysis.page.rows import class_contrasts_figures
from analysis.report.root_cause import human_pair_rates, root_causes
from analysis.report.section import Parts, Section
from analysis.report.sources import Answers, Records
from analysis.run.reader import Run
from analysis.shortcuts import background, colour, sky, texture, vehicle_halves
from analysis.validate.scores import downgraded
from trainables.data.spec import DataSpec


def _claims_on_pairs(records: Records, reason: str) -> list[dict[str, Any]]:
    return [claim.to_dict() for claim in pairs.untested_claims(records.class_names, reason)]


def _claims_on_classes(records: Records, reason: str) -> list[dict[str, Any]]:
    frog = reason if class_contrasts.FROG in records.class_names else None
    return class_contrasts.untested_claims(records.kinds.untested or reason, frog)


def _claims_on_sky(records: Records, reason: str) -> list[dict[str, Any]]:
    return [claim.to_dict() for claim in sky.untested_claims(reason)]


def _systematic(answers: Answers, parts: Parts) -> dict[str, Any]:
    fresh = answers.examined.fresh
    section = systematic.systematic_section(
        answers.confusion, answers.labels, fresh.predictions, **answers.making.few
    )
    return section | {"fresh": fresh.to_dict()}


def _colour(answers: Answers, parts: Parts) -> dict[str, Any]:
    section = colour.colour_section(answers.examined.variants, answers.examined.test.images)
    return downgraded(section, answers.making.scores)


def _gallery(answers: Answers, parts: Parts) -> dict[str, Any]:
    images, seed = answers.examined.test.images, answers.making.seed
    return gallery_section(images, answers.labels, answers.logits, answers.class_names, seed=seed)


def losses_to_the_selected(run: Run) -> list[float]:
    """The winner's validation loss of each epoch up to the selected one."""
    if run.best is None:
        return []
    own = run.epochs[run.epochs["trial"] == run.best["trial"]].sort_values("epoch")
    losses: list[float] = own.loc[own["epoch"] <= run.best["epoch"], "val_loss"].tolist()
    return losses


def _overfitting(answers: Answers, parts: Parts) -> dict[str, Any]:
    examined = answers.examined
    losses = losses_to_the_selected(answers.run)
    return overfitting.overfitting_section(examined.train_right, examined.val_right, losses)


def _sky(answers: Answers, parts: Parts) -> dict[str, Any]:
    test = answers.examined.test
    section = sky.sky_section(answers.examined.variants, test.images, test.labels, answers.logits)
    return downgraded(section, answers.making.scores)


def _texture(answers: Answers, parts: Parts) -> dict[str, Any]:
    flagged = [(row["first"], row["second"]) for row in answers.pairs["pairs"] if row["flagged"]]
    asked = list(dict.fromkeys((texture.PAIR, *flagged)))
    section = texture.texture_section(answers.examined.variants, pairs=asked)
    return downgraded(section, answers.making.scores)


def _evidence(answers: Answers, parts: Parts) -> dict[str, Any]:
    examined = answers.examined
    return evidence_section(
        examined.errors,
        answers.labels,
        answers.logits,
        answers.class_names,
        heat=examined.heat,
        variant_logits=examined.swapped_logits,
        seed=examined.variants.record["seed"],
    )


def _root_causes(answers: Answers, parts: Parts) -> list[dict[str, Any]]:
    data = DataSpec.from_dict(answers.run.experiment["data"])
    return root_causes(
        answers.pairs,
        background=parts["background"],
        colour=parts["colour"],
        texture=parts["texture"],
        labels=parts["label_issues"],
        human_rates=human_pair_rates(answers.class_names, data.source_name),
        run_folder=answers.run.path,
    )


ANSWER_SECTIONS = (
    Section(
        name="confusion",
        question="Which class is taken for which?",
        compute=lambda answers, parts: confusion_section(answers.confusion, answers.class_names),
        place=60,
        template="confusions",
        heading="Confusions",
        figures=figures.confusion_figures,
        needs="answers",
    ),
    Section(
        name="pairs",
        question="Which pairs are confused more often than their error rates explain?",
        compute=lambda answers, parts: answers.pairs,
        place=40,
        heading="Confused pairs",
        navigation="Confusions",
        figures=pairs_figures,
        claims=_claims_on_pairs,
        needs="answers",
    ),
    Section(
        name="per_class",
        question="How well is each class recognised?",
        compute=lambda answers, parts: per_class_section(
            answers.confusion, answers.class_names, answers.kinds, answers.samples["f1"]
        ),
        place=80,
        template="classes",
        heading="Classes",
        figures=figures.class_figures,
        needs="answers",
    ),
    Section(
        name="class_contrasts",
        question="Which classes stand apart from the mean?",
        compute=lambda answers, parts: class_contrasts.class_contrasts_section(
            answers.confusion, answers.class_names, answers.kinds, **answers.making.few
        ),
        place=70,
        heading="Classes against the mean",
        navigation="Classes",
        figures=class_contrasts_figures,
        claims=_claims_on_classes,
        needs="answers",
    ),
    Section(
        name="systematic",
        question="Would another training seed make the same errors?",
        compute=_systematic,
        place=170,
        heading="Systematic or random",
        claims=(systematic.CLAIM,),
        needs="answers",
    ),
    Section(
        name="calibration",
        question="Do the confidences say how often the model is right?",
        compute=lambda answers, parts: calibration.calibration_section(
            answers.labels, answers.logits, **answers.making.few
        ),
        place=190,
        heading="Calibration",
        figures=calibration_figures,
        claims=(calibration.CLAIM,),
        needs="answers",
    ),
    Section(
        name="background",
        question="Which classes are recognised by their background?",
        compute=lambda answers, parts: downgraded(
            background.background_section(answers.examined.variants), answers.making.scores
        ),
        place=100,
        heading="Background",
        figures=interventions.background_figures,
        claims=(background.ANY_CLASS_CLAIM,),
        needs="answers",
    ),
    Section(
        name="sky",
        question="Do blue surroundings mean airplane to the model?",
        compute=_sky,
        place=110,
        heading="Blue water, blue sky",
        claims=_claims_on_sky,
        needs="answers",
    ),
    Section(
        name="texture",
        question="Are pairs told apart by texture or by shape?",
        compute=_texture,
        place=130,
        heading="Texture and shape",
        figures=interventions.texture_figures,
        claims=(texture.CLAIM,),
        needs="answers",
    ),
    Section(
        name="colour",
        question="Which classes are recognised by their colour?",
        compute=_colour,
        place=120,
        heading="Colour",
        figures=interventions.colour_figures,
        claims=(colour.GREEN_FROG_CLAIM,),
        needs="answers",
    ),
    Section(
        name="chassis",
        question="Which half of a picture tells a pair apart?",
        compute=lambda answers, parts: vehicle_halves.vehicle_halves_section(
            answers.examined.variants
        ),
        place=140,
        heading="Which half tells a pair apart",
        figures=interventions.vehicle_halves_figures,
        claims=(vehicle_halves.CLAIM,),
        needs="answers",
    ),
    Section(
        name="interventions",
        question="What do background, colour and texture cost each class, side by side?",
        compute=None,
        place=90,
        heading="Interventions",
        navigation="Interventions",
        figures=interventions.interventions_figures,
        drawn_from=("background", "colour", "texture"),
        needs="answers",
    ),
    Section(
        name="attribution",
        question="Does the model look at the object, and can its heat maps be believed?",
        compute=lambda answers, parts: heat_maps.attribution_section(
            answers.examined.explained, **answers.making.few
        ),
        place=160,
        heading="Heat maps",
        navigation="Heat maps",
        claims=(heat_maps.CLAIM,),
        needs="answers",
    ),
    Section(
        name="gallery",
        question="What do pictures and errors look like?",
        compute=_gallery,
        place=50,
        heading="Pictures",
        needs="answers",
    ),
    Section(
        name="evidence",
        question="What does the model see in the errors of the flagged pairs?",
        compute=_evidence,
        place=150,
        heading="Evidence sheets",
        needs="answers",
    ),
    Section(
        name="label_issues",
        question="How many of the errors are wrong labels?",
        compute=lambda answers, parts: label_issues.label_issues_section(
            answers.labels, answers.logits, answers.class_names, seed=answers.making.seed
        ),
        place=180,
        heading="Labels in doubt",
        claims=(label_issues.CLAIM,),
        needs="answers",
    ),
    Section(
        name="overfitting",
        question="Is the winner better on the pictures that it was trained on?",
        compute=_overfitting,
        place=200,
        heading="Overfitting",
        claims=(overfitting.CLAIM,),
        needs="answers",
    ),
    Section(
        name="root_causes",
        question="Why is a flagged pair confused, and what would cure it?",
        compute=_root_causes,
        place=155,
        heading="Root causes",
        navigation="Root causes",
        needs="answers",
    ),
)
