"""Why is a flagged pair confused? Symptom, diagnosis and verdict by a decision table.

The rows of the table are tests that other sections made; a cause is named where its test came out,
interval and all. Where several came out they are all listed and none is chosen; where none did, the
confusion stays unexplained.

Each cause leads to the command of the experiment that tests its cures.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.statistics.claims import in_percent, in_points
from trainables.classes import CIFAR10_CLASSES

# How often people take the two for each other, as a share of their pictures: CIFAR-10H's test
# pictures, about 50 people each (Peterson et al. 2019), with all people's votes counted.
HUMAN_PAIR_RATES: Mapping[frozenset[str], float] = {
    frozenset(("cat", "dog")): 0.038,
    frozenset(("deer", "horse")): 0.025,
    frozenset(("automobile", "truck")): 0.023,
    frozenset(("airplane", "ship")): 0.016,
    frozenset(("airplane", "bird")): 0.007,
}
UNEXPLAINED = "unexplained"
CURES = {
    "semantic overlap": "hard mining of the pair, and more weight on its classes",
    "contextual over-fitting": "CutMix, which gives a picture parts of other backgrounds",
    "colour": "hard mining and CutMix; no arm changes colours",
    "texture": "hard mining and the deeper ResNet",
    UNEXPLAINED: "every arm, as nothing speaks for one of them",
}
# Classes that are alike in themselves want more of the hard pictures; neither arm changes the
# pictures' surroundings, colours or textures. Any other cause has all arms to choose from.
FOR_SEMANTIC_OVERLAP = ("pair_weights", "hard_mining")  # of spaces.interventions.aimed_arms


@dataclass(frozen=True, kw_only=True)
class TestedCause:
    """One row of the decision table for one pair."""

    cause: str
    answer: str  # "yes", "no" or "not tested"
    sentence: str
    section: str  # of the report, that tells more


def human_pair_rates(class_names: tuple[str, ...], source: str) -> Mapping[frozenset[str], float]:
    """What is known of people and such pictures: of photographs of CIFAR-10's classes, that."""
    is_cifar = set(class_names) == set(CIFAR10_CLASSES) and source != "synthetic"
    return HUMAN_PAIR_RATES if is_cifar else {}


def root_causes(
    pairs: Mapping[str, Any],
    *,
    background: Mapping[str, Any],
    colour: Mapping[str, Any],
    texture: Mapping[str, Any],
    labels: Mapping[str, Any],
    human_rates: Mapping[frozenset[str], float],
    run_folder: Path,
) -> list[dict[str, Any]]:
    """Every flagged pair with its symptom, what each test says of it, the causes and a cure to try.

    Args:
        pairs: `pairs_section`.
        background: `background_section`.
        colour: `colour_section`.
        texture: `texture_section`, which was asked for the flagged pairs.
        labels: `label_issues_section`.
        human_rates: how often people take two classes for each other in such pictures.
        run_folder: of the run, for the command that tests the cure.

    Returns:
        One dictionary a pair: "first", "second", "flagged", "symptom", "findings" (in the order of
        the table), "causes", "verdict", "intervention" and "command".
    """
    rows = []
    for row in pairs["pairs"]:
        if not row["flagged"]:
            continue
        pair = (row["first"], row["second"])
        findings = [
            _wrong_labels(pair, labels),
            _semantic(row, human_rates.get(frozenset(pair))),
            _contextual(pair, background),
            _colour(pair, colour),
            _texture(pair, texture),
        ]
        causes = [finding.cause for finding in findings if finding.answer == "yes"]
        chosen = causes[0] if causes else UNEXPLAINED
        rows.append(
            {
                "first": pair[0],
                "second": pair[1],
                "flagged": True,
                "symptom": _symptom(row),
                "findings": [asdict(finding) for finding in findings],
                "causes": causes,
                "verdict": _verdict(causes, findings),
                "intervention": CURES[chosen],
                "command": follow_up_command(run_folder, pair, chosen),
            }
        )
    return rows


def _symptom(row: Mapping[str, Any]) -> str:
    forth, back = row["counts"]
    return (
        f"{row['first']} is taken for {row['second']} {forth} times and the reverse {back} times: "
        f"{in_percent(row['rate'])} of their {row['num_images']:,} pictures, "
        f"{row['ratio']['value']:.1f} times what their other errors let expect"
    )


def _verdict(causes: Sequence[str], findings: Sequence[TestedCause]) -> str:
    open_tests = [finding.cause for finding in findings if finding.answer == "not tested"]
    untested = f" Not tested: {', '.join(open_tests)}." if open_tests else ""
    if not causes:
        return f"Unexplained: no test came out.{untested}"
    if len(causes) == 1:
        return f"Consistent with {causes[0]}.{untested}"
    return f"Consistent with {' and '.join(causes)}; the tests do not choose.{untested}"


def _wrong_labels(pair: tuple[str, str], labels: Mapping[str, Any]) -> TestedCause:
    """Ruled out, or left to a person: a model that errs with confidence flags right labels too."""
    cause = "wrong labels"
    if not labels["tested"]:
        return _untested(cause, labels, "label-issues")
    found = [row for row in labels["pairs"] if {row["given"], row["suggested"]} == set(pair)]
    flagged, errors = (sum(row[name] for row in found) for name in ("count", "errors"))
    most = min(flagged / max(errors, 1) / labels["recall"]["lower"], 1.0)
    bound = (
        f"{flagged} of the pair's {errors} errors are flagged: at most {most:.0%} are wrong labels"
    )
    if most < 0.5:
        return TestedCause(cause=cause, answer="no", sentence=bound, section="label-issues")
    return TestedCause(
        cause=cause,
        answer="not tested",
        sentence=f"{bound}, which only a person who looks at them can tell",
        section="label-issues",
    )


def _semantic(row: Mapping[str, Any], human: float | None) -> TestedCause:
    """People confuse the two as often: the pictures, and not the model, are ambiguous."""
    if human is None:
        return TestedCause(
            cause="semantic overlap",
            answer="not tested",
            sentence="how often people confuse the two is not known here",
            section="pairs",
        )
    return TestedCause(
        cause="semantic overlap",
        answer="yes" if row["rate"]["lower"] <= human else "no",
        sentence=(
            f"people take the two for each other in {human:.1%} of CIFAR-10's test pictures, this "
            f"checkpoint in {in_percent(row['rate'])}"
        ),
        section="pairs",
    )


def _contextual(pair: tuple[str, str], background: Mapping[str, Any]) -> TestedCause:
    cause = "contextual over-fitting"
    if not background["tested"]:
        return _untested(cause, background, "background")
    pulls = [row for row in background["pairs"] if {row["true"], row["donor"]} == set(pair)]
    words = [
        f"{row['true']} on a background of {row['donor']}: {in_points(row['attraction'])} more "
        f"often taken for {row['donor']}"
        for row in pulls
    ]
    return TestedCause(
        cause=cause,
        answer="yes" if any(row["attracts"] for row in pulls) else "no",
        sentence="; ".join(words),
        section="background",
    )


def _colour(pair: tuple[str, str], colour: Mapping[str, Any]) -> TestedCause:
    if not colour["tested"]:
        return _untested("colour", colour, "colour")
    own = [row for row in colour["classes"] if row["name"] in pair]
    words = [f"{row['name']}: {in_points(row['hue_excess'])}" for row in own]
    return TestedCause(
        cause="colour",
        answer="yes" if any(row["verdict"] == "CONFIRMED" for row in own) else "no",
        sentence=f"what a strange hue costs more than it costs other classes: {'; '.join(words)}",
        section="colour",
    )


def _texture(pair: tuple[str, str], texture: Mapping[str, Any]) -> TestedCause:
    row = next((row for row in texture["pairs"] if set(row["pair"]) == set(pair)), None)
    if row is None:
        return _untested("texture", texture, "texture")
    return TestedCause(
        cause="texture",
        answer="yes" if row["reads"] == "texture" else "no",
        sentence=(
            "told apart in shuffled tiles better than in a blur of the same cost, beyond control "
            f"pairs, by {in_points(row['excess'])}"
        ),
        section="texture",
    )


def _untested(cause: str, section: Mapping[str, Any], name: str) -> TestedCause:
    reason = section.get("reason") or "these pictures do not allow the test"
    return TestedCause(cause=cause, answer="not tested", sentence=reason, section=name)


def follow_up_command(run_folder: Path, pair: tuple[str, str], cause: str) -> str:
    """The command that tests the cures of a confused pair against a baseline and a placebo.

    Args:
        run_folder: of the run whose winner the report explains.
        pair: the two classes.
        cause: as the report's root-cause section words it, such as "semantic overlap".

    Returns:
        One line for a shell.
    """
    command = ["python", "-m", "search.run", "--space", "interventions"]
    command += ["--around", str(run_folder), "--aim", ",".join(pair)]
    if "semantic" in cause.lower():
        command += ["--arms", ",".join(FOR_SEMANTIC_OVERLAP)]
    return shlex.join(command)
