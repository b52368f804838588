"""Strengths, weaknesses, opportunities, threats (deck C): each entry is a measured row.

Nothing is written here that no other section has measured; a quadrant may stay empty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from analysis.statistics.claims import in_points

QUADRANTS = ("strengths", "weaknesses", "opportunities", "threats")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One measured row, in a plain sentence."""

    quadrant: str
    sentence: str
    section: str  # of the report, that measured it


def swot_section(report: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The entries of each quadrant, from the sections that are already in `report`."""
    entries = [
        *_gate(report["verdict"]),
        *(() if report["untested"] else _answers(report)),
        *_settings(report["effects"]),
        *_selection(report),
    ]
    return {
        quadrant: [asdict(entry) for entry in entries if entry.quadrant == quadrant]
        for quadrant in QUADRANTS
    }


def _gate(verdict: Mapping[str, Any]) -> Iterator[Entry]:
    untested = "threats" if verdict["macro_f1"] is None else "weaknesses"
    quadrant = "strengths" if verdict["passed"] else untested
    yield Entry(quadrant=quadrant, sentence=verdict["sentence"], section="verdict")


def _answers(report: Mapping[str, Any]) -> Iterator[Entry]:
    """What the checkpoint's answers showed."""
    yield from _classes(report["class_contrasts"])
    yield from _reliance(report)
    yield from _pairs(report["root_causes"])
    yield from _training(report)


def _classes(contrasts: Mapping[str, Any]) -> Iterator[Entry]:
    for row in contrasts["classes"]:
        if row["separated"]:
            difference = row["difference"]
            above = difference["value"] > 0
            yield Entry(
                quadrant="strengths" if above else "weaknesses",
                sentence=(
                    f"{row['name']} is recognised {'better' if above else 'worse'} than the mean "
                    f"class, by {in_points(difference)} of F1 (simultaneous interval)"
                ),
                section="class_contrasts",
            )


def _reliance(report: Mapping[str, Any]) -> Iterator[Entry]:
    """What the interventions found, and what they would have found."""
    for name, what, effect in (
        ("background", "its background", "gap"),
        ("colour", "its colour", "hue_excess"),
    ):
        section = report[name]
        if not section["tested"]:
            continue
        words = {row["name"]: row["verdict"] for row in section["classes"]}
        for row in section["classes"]:
            if row["verdict"] == "CONFIRMED":
                yield Entry(
                    quadrant="weaknesses",
                    sentence=f"{row['name']} is recognised by {what}: {in_points(row[effect])}",
                    section=name,
                )
        refuted = [class_name for class_name, word in words.items() if word == "REFUTED"]
        if refuted and len(refuted) == len(words):
            yield Entry(
                quadrant="strengths",
                sentence=f"no class loses {100 * section['floor']:g} points or more by {what}",
                section=name,
            )
        undecided = [class_name for class_name, word in words.items() if word == "INCONCLUSIVE"]
        if undecided:
            yield Entry(
                quadrant="threats",
                sentence=f"whether it goes by {what} is open for {', '.join(undecided)}",
                section=name,
            )


def _pairs(root_causes: list[dict[str, Any]]) -> Iterator[Entry]:
    for row in root_causes:
        yield Entry(quadrant="weaknesses", sentence=row["symptom"], section="root-causes")
        yield Entry(
            quadrant="opportunities",
            sentence=(
                f"{row['first']}/{row['second']}: {row['intervention']}; to be tested by "
                f"{row['command']}"
            ),
            section="root-causes",
        )


def _settings(effects: Mapping[str, Any]) -> Iterator[Entry]:
    """Settings whose effect the search has decided."""
    for claim in effects["claims"]:
        if claim["verdict"] == "CONFIRMED":
            yield Entry(
                quadrant="opportunities",
                sentence=f"{claim['claim']} (this search)",
                section="effects",
            )


def _training(report: Mapping[str, Any]) -> Iterator[Entry]:
    for claim in report["overfitting"]["claims"]:
        if claim["verdict"] in ("CONFIRMED", "REFUTED"):
            quadrant = "threats" if claim["verdict"] == "CONFIRMED" else "strengths"
            yield Entry(quadrant=quadrant, sentence=claim["sentence"], section="overfitting")


def _selection(report: Mapping[str, Any]) -> Iterator[Entry]:
    openings = report["model"]["test_openings"]["count"]
    if openings > 1:
        yield Entry(
            quadrant="threats",
            sentence=f"the sealed test was opened {openings} times, so later figures may flatter",
            section="verdict",
        )
    if not report["confirmation"]:
        yield Entry(
            quadrant="threats",
            sentence="one training seed: how far another one would differ is not known",
            section="confirmation",
        )
