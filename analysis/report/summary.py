"""What a report comes to: its claims in one table, strengths and weaknesses, and its limits.

Strengths, weaknesses, opportunities and threats (deck C) are measured rows: nothing is written
there that no other section has measured, and a quadrant may stay empty. What the report does not
show is said in plain sentences that follow from its own contents.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from analysis.statistics.claims import Word, in_points

QUADRANTS = ("strengths", "weaknesses", "opportunities", "threats")
ORDER: tuple[str, ...] = get_args(Word)  # of the rows


def limits_section(report: dict[str, Any]) -> list[str]:
    """Sentences for the sections that are already in `report`, the gravest first."""
    return list(_sentences(report))


def _sentences(report: dict[str, Any]) -> Iterator[str]:
    source = report["model"]["data"]["source"].partition(":")[0]
    if report["untested"]:
        yield (
            f"Nothing was measured on the sealed test: {report['untested']['reason']}. What this "
            "report says rests on the run's own records and validation figures."
        )
    else:
        yield from _of_the_answers(report, source)
    if report["confirmation"] and source != "synthetic":
        yield (
            "The fresh validation images of the confirmation come from the pool that the search "
            "drew from, so some of them took part in choosing the configuration, and its fresh "
            "figures may still be a little optimistic."
        )
    if source == "synthetic":
        yield (
            "The images are generated. The figures show that the pipeline works and say nothing "
            "about photographs."
        )
    untested = report["claims"]["counts"]["NOT TESTED"]
    if untested and not report["untested"]:
        yield f"{untested} of the claims could not be tested with these data; each row says why."
    if not report["detectors"]["validated"]:
        yield "How good the detectors of this report are has not been measured in this release."
    if report["trajectory"] and report["trajectory"]["unfreeze"]:
        yield (
            "The change at the unfreeze point coincides with a restart of the learning rate and "
            "with more epochs; no control run separates the three."
        )
    absent_parts = list(_absent_parts(report))
    if absent_parts:
        yield f"Not in this report: {', '.join(absent_parts)}."


def _absent_parts(report: dict[str, Any]) -> Iterator[str]:
    if report["untested"] or report["systematic"]["fresh"]["reason"]:
        yield "errors of other training seeds on the same images"
    if report["untested"] or not report["label_issues"]["tested"]:
        yield "wrong labels"
    if not report["confirmation"]:
        yield "fresh seeds of the configuration"


def _of_the_answers(report: dict[str, Any], source: str) -> Iterator[str]:
    """What limits the sections that rest on the checkpoint's answers."""
    openings = report["model"]["test_openings"]
    num_classes = len(report["per_class"]["classes"])
    absent = report["per_class"]["absent"]
    num_images, num_errors = report["confusion"]["num_images"], report["confusion"]["num_errors"]

    yield (
        "One trained model is n = 1. The intervals cover the draw of test images, not the draw of "
        "a training seed: all of this is about this checkpoint, not about its configuration."
    )
    if source == "cifar10":
        yield (
            "Barz and Denzler (2020, ciFAIR) found near-duplicates of 3.3% of CIFAR-10's test "
            "images among its training images; they are not removed and flatter every model."
        )
    if openings["count"] > 1:
        yield (
            f"The test was opened {openings['count']} times. Whatever was decided after the first "
            "opening may have used its answer, and then the figures are optimistic."
        )
    yield (
        f"Each class interval holds for its class alone. Of {num_classes} such intervals about "
        f"{0.05 * num_classes:.1f} miss the true value by chance, so no class is called the best "
        "or the worst here."
    )
    yield (
        "The listed confusions are the largest of this matrix, and being chosen for their size "
        "makes them look larger than they are."
    )
    yield (
        "Changed pictures are strange to the network. Every change is compared with one as "
        "strange, but what the network does with natural pictures may differ from both."
    )
    yield (
        "Pairs were flagged and their causes looked for on the same test images; a cause that was "
        "found this way wants the trial that its section names."
    )
    if absent:
        yield (
            f"The test has no image of {', '.join(absent)}. Recall is undefined there, and a class "
            "that is not predicted either is left out of the macro mean."
        )
    if num_errors in (0, num_images):
        seen, unseen = ("right", "wrong") if num_errors == 0 else ("wrong", "right")
        yield (
            f"Every image came out {seen}, so the bootstrap intervals have no width. That does not "
            f"rule the other out: with {num_images:,} images a true share of {unseen} ones up to "
            f"about {min(3 / num_images, 1):.1%} would still show none in one draw of twenty."
        )


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


def claims_section(report: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of all sections of `report`, the decided ones first.

    Returns:
        "rows": claims in the order of their verdicts, then of the sections; "counts" by verdict;
        "sentence": the counts in words.
    """
    sections = {name: part for name, part in report.items() if isinstance(part, dict)}
    rows = [claim for part in sections.values() for claim in part.get("claims", [])]
    found = Counter(row["verdict"] for row in rows)
    counts = {word: found[word] for word in ORDER}
    return {
        "rows": sorted(rows, key=lambda row: ORDER.index(row["verdict"])),
        "counts": counts,
        "sentence": counts_sentence(counts),
    }


def counts_sentence(counts: Mapping[str, int]) -> str:
    """For the banner: "Of 12 claims 3 are confirmed, 2 refuted, 5 inconclusive, 2 not tested."."""
    total = sum(counts.values())
    if not total:
        return "No claim could be stated for these classes."
    words = ", ".join(f"{counts[word]} {word.lower()}" for word in ORDER)
    return f"Of {total} claims: {words}."
