"""What this report does not show, in plain sentences that follow from its own contents."""

from collections.abc import Iterator
from typing import Any


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
