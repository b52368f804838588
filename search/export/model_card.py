"""The model card of an export, in Hugging Face's form: README.md with YAML front matter.

It holds what the run folder holds and no figure besides; what was not measured is said to be
missing. Paths of this machine stay out of it: a card travels.
"""

from collections.abc import Sequence
from typing import Any

import yaml

from search.export.figures import Figure, ModelFigures, figures_of
from search.export.licences import BACKBONE_LICENSE, Licence, licence_of
from search.records.folder import RunFolder
from trainables.data.spec import DataSpec
from trainables.models.formats import FILES
from trainables.models.run_weights import read_identity
from trainables.models.weight_paths import without_folder
from trainables.models.weights import told_origin

# Source of the pictures: what it is, and its name among Hugging Face's data sets where it has one.
DATA = {
    "cifar10": ("CIFAR-10", "uoft-cs/cifar10"),
    "synthetic": ("pictures drawn by two-phase-search (synthetic)", None),
    "imagefolder": ("a folder of pictures (not published with this card)", None),
    "parquet": ("parquet files of pictures (not published with this card)", None),
}
DECIDED = ("CONFIRMED", "REFUTED")


def model_card(run: RunFolder, best: dict[str, Any], formats: Sequence[str], *, final: bool) -> str:
    """The text of README.md.

    Args:
        run: the run folder; its report.json is quoted where it is on this very checkpoint.
        best: best.json, or final.json where `final`.
        formats: of the export.
        final: the model was trained on all pictures.
    """
    experiment, found = run.read_experiment(), figures_of(run, best, final=final)
    licence = licence_of_model(run, best)
    front = yaml.safe_dump(
        _front_matter(experiment, best, found, formats, licence),
        sort_keys=False,
        allow_unicode=True,
    )
    sections = [
        _what_it_is(experiment, best, licence),
        _usage(formats, licence),
        _figures(found),
        _verdicts(found.report),
        _limits(found, DataSpec.from_dict(experiment["data"]).source_name),
        _training(experiment, best),
    ]
    text = "\n\n".join("\n".join(lines) for lines in sections if lines)
    return f"---\n{front}---\n\n{text}\n"


def licence_of_model(run: RunFolder, best: dict[str, Any]) -> Licence:
    """The licence of the model of best.json, or final.json."""
    _, identity = read_identity(run.checkpoint(best)) or ("", "")
    return licence_of(best["config"]["weights"], identity)


def _front_matter(
    experiment: dict[str, Any],
    best: dict[str, Any],
    found: ModelFigures,
    formats: Sequence[str],
    licence: Licence,
) -> dict[str, Any]:
    config = best["config"]
    described, published = DATA[DataSpec.from_dict(experiment["data"]).source_name]
    front: dict[str, Any] = {
        **licence.front,
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": [
            "image-classification",
            "two-phase-search",
            config["backbone"],
            *formats,
        ],
        **({"datasets": [published]} if published else {}),
        "metrics": ["f1", "accuracy"],
    }
    if found.figures:
        split = found.figures[0].split
        data = {"name": described, "type": published or "image-classification", "split": split}
        result = {
            "task": {"type": "image-classification"},
            "dataset": data,
            "metrics": [
                {"type": one.kind, "name": _told(one), "value": round(one.value, 6)}
                for one in found.figures
            ],
        }
        front["model-index"] = [{"name": experiment["name"], "results": [result]}]
    return front


def _told(figure: Figure) -> str:
    """A figure's name with its n and its interval, which the front matter has no place for."""
    pictures = "n not recorded" if figure.num_images is None else f"n = {figure.num_images:,}"
    if figure.interval:
        return f"{figure.name} (95 % interval {_span(figure.interval)}, {pictures})"
    return f"{figure.name} ({figure.split}, selected and so optimistic, {pictures})"


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _what_it_is(experiment: dict[str, Any], best: dict[str, Any], licence: Licence) -> list[str]:
    config, names = best["config"], experiment["class_names"]
    spec = DataSpec.from_dict(experiment["data"])
    in_head_phase = best["epoch"] <= config["head_epochs"]
    # Of a run of an earlier release, or of weights that a space chose, only the name is known.
    is_on_record = config["weights"] == experiment.get("settings", {}).get("weights")
    origin = told_origin(experiment.get("weights", {})) if is_on_record else ""
    return [
        f"# {experiment['name']}",
        "",
        f"A {config['backbone']} with a {config['head']} head that tells {len(names)} classes "
        f"apart ({', '.join(names)}), fine-tuned in two phases: the head alone on a frozen "
        "backbone, then the backbone's top with differential learning rates. It is epoch "
        f"{best['epoch']} of trial {best['trial']} of a hyperparameter search"
        f"{', of its first phase: the backbone is as pre-trained' if in_head_phase else ''}.",
        "",
        f"- Pictures: {DATA[spec.source_name][0]}.",
        f"- Input: uint8 RGB, {spec.base_px} x {spec.base_px} px; the model itself resizes to "
        f"{config['resolution_px']} px ({config['interpolation']}) and normalises.",
        "- Output: one logit a class, in the order above.",
        *([f"- Backbone weights: {origin}."] if origin else []),
        f"- Licence: {licence.sentence}.",
    ]


def _usage(formats: Sequence[str], licence: Licence) -> list[str]:
    files = [*(FILES[form] for form in formats), "config.json"]
    files += [BACKBONE_LICENSE] if licence.text else []
    return [
        "## Use",
        "",
        "In a checkout of two-phase-search, EXPORT being the folder of this card:",
        "",
        "```sh",
        "python -m trainables.predict EXPORT cat.png dog.jpg  # a table",
        "python -m trainables.predict EXPORT cat.png --json   # all of it, with logits",
        "python -m search.serve EXPORT                        # over HTTP",
        "```",
        "",
        f"Files: {', '.join(f'`{file}`' for file in files)}. "
        "The probabilities are the network's own, not calibrated.",
    ]


def _figures(found: ModelFigures) -> list[str]:
    rows = [
        f"| {one.name} | {one.value:.3f} "
        f"| {_span(one.interval) if one.interval else 'missing'} "
        f"| {'missing' if one.num_images is None else f'{one.num_images:,}'} "
        f"| {one.split} | {one.remark} |"
        for one in found.figures
    ]
    table = [
        "| figure | value | 95 % interval | pictures | split | how to take it |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    return ["## Measured", "", *(table if rows else []), *found.missing]


def _verdicts(report: dict[str, Any] | None) -> list[str]:
    if report is None:
        return []
    verdict, claims = report["verdict"], report["claims"]
    rows = [row for row in claims["rows"] if row["verdict"] in DECIDED]
    table = [
        "| verdict | claim | effect (95 % interval) | pictures |",
        "|---|---|---|---|",
        *(
            f"| {row['verdict']} | {_cell(row['claim'])} | {_effect(row)} | {row['num_images']:,} |"
            for row in rows
        ),
        "",
    ]
    return [
        "## What the report says",
        "",
        f"{verdict['word']}: {verdict['meaning']} ({verdict['gate']:.0%} macro-F1).",
        "",
        f"{claims['sentence']} Those that were decided:",
        "",
        *(table if rows else ["None was decided."]),
    ]


def _effect(row: dict[str, Any]) -> str:
    """Shares in percentage points, all else in its own unit."""
    effect = row["effect"]
    if effect is None or effect["value"] is None:
        return "missing"
    factor = 100 if row["unit"] == "points" else 1
    ends = [effect[key] for key in ("lower", "upper")]
    between = "" if None in ends else f" ({factor * ends[0]:.3g} to {factor * ends[1]:.3g})"
    return f"{factor * effect['value']:.3g} {row['unit']}{between}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _limits(found: ModelFigures, source: str) -> list[str]:
    if found.report:
        limits = found.report["limits"]
    else:
        limits = [
            "One trained model is n = 1: nothing here says what another training seed would give.",
            "What the network goes by (background, colour, texture) was not examined.",
        ]
        if source == "synthetic":
            limits.append("The pictures are generated and say nothing about photographs.")
    return ["## Limits", "", *(f"- {limit}" for limit in limits)]


def _training(experiment: dict[str, Any], best: dict[str, Any]) -> list[str]:
    """Every setting of the trial, and what is needed to repeat it."""
    config, data = dict(best["config"]), experiment["data"]
    config["weights"] = without_folder(config["weights"])
    repeat = {
        "run": experiment["name"],
        "space": experiment.get("space", "missing"),
        "training pictures": best.get("num_images", data["train_size"]),
        "seed of the split": data["seed"],
        "fingerprint of the pictures": experiment.get("data_fingerprint", "missing"),
        "commit of the code": experiment.get("git_commit") or "missing",
        **experiment.get("versions", {}),
    }
    return [
        "## Training",
        "",
        "| setting | value |",
        "|---|---|",
        *(f"| {_cell(str(name))} | {_cell(str(value))} |" for name, value in config.items()),
        "",
        "| to repeat it | |",
        "|---|---|",
        *(f"| {_cell(str(name))} | {_cell(str(value))} |" for name, value in repeat.items()),
    ]
