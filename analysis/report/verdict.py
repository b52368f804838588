"""Did this checkpoint pass the gate? One word, decided by an interval and not by a point."""

from collections.abc import Mapping
from typing import Any, Literal

from analysis.statistics import metrics
from analysis.statistics.intervals import Estimate, estimate
from analysis.statistics.metrics import FloatArray, IntArray
from trainables.training.evaluation import GATE

Word = Literal["ABOVE", "BELOW", "BORDERLINE"]

MEANINGS: dict[Word, str] = {
    "ABOVE": "the whole interval lies above the gate: it passes",
    "BELOW": "the whole interval lies below the gate: it fails",
    "BORDERLINE": "the interval contains the gate: not shown to pass, so it counts as failing",
}


def untested_verdict(reason: str) -> dict[str, Any]:
    """The verdict's section where there is nothing to judge; it never passes."""
    return {
        "word": "NOT TESTED",
        "meaning": reason,
        "passed": False,
        "gate": GATE,
        "sentence": f"This run could not be tested: {reason}.",
        "num_images": 0,
        "macro_f1": None,
        "accuracy": None,
    }


def gate_word(macro_f1: Estimate, gate: float = GATE) -> Word:
    """ABOVE or BELOW only if the whole interval is; an undefined macro-F1 never passes."""
    if macro_f1.lower >= gate:
        return "ABOVE"
    if macro_f1.upper < gate:
        return "BELOW"
    return "BORDERLINE"


def verdict_section(confusion: IntArray, samples: Mapping[str, FloatArray]) -> dict[str, Any]:
    """Macro-F1 and accuracy on the sealed test, their intervals, and the gate's word.

    Args:
        confusion: counts, shape (K, K).
        samples: bootstrap values of "macro_f1" and of "accuracy", each of shape (R,).
    """
    macro_f1 = estimate(float(metrics.macro_f1(confusion)), samples["macro_f1"])
    accuracy = estimate(float(metrics.accuracy(confusion)), samples["accuracy"])
    word = gate_word(macro_f1)
    num_images = int(confusion.sum())
    return {
        "word": word,
        "meaning": MEANINGS[word],
        "passed": word == "ABOVE",
        "gate": GATE,
        "sentence": gate_sentence(macro_f1, word, num_images),
        "num_images": num_images,
        "macro_f1": macro_f1.to_dict(),
        "accuracy": accuracy.to_dict(),
    }


def gate_sentence(macro_f1: Estimate, word: Word, num_images: int) -> str:
    """The report in one plain sentence, for the banner and the terminal."""
    position = {"ABOVE": "above", "BELOW": "below", "BORDERLINE": "not clear of"}[word]
    consequence = " and counts as failing" if word == "BORDERLINE" else ""
    return (
        f"This checkpoint reaches a macro-F1 of {macro_f1.value:.1%} "
        f"(95% interval {macro_f1.lower:.1%} to {macro_f1.upper:.1%}) "
        f"on {num_images:,} sealed test images, {position} the {GATE:.0%} gate{consequence}."
    )
