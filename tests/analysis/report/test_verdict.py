"""The gate's word depends on the whole interval."""

import numpy as np
import pytest

from analysis.report.verdict import gate_sentence, gate_word, verdict_section
from analysis.statistics import metrics
from analysis.statistics.intervals import Estimate, bootstrap


@pytest.mark.parametrize(
    ("lower", "upper", "word"),
    [
        (0.65, 0.70, "ABOVE"),
        (0.6499, 0.70, "BORDERLINE"),
        (0.60, 0.65, "BORDERLINE"),
        (0.60, 0.6499, "BELOW"),
        (np.nan, np.nan, "BORDERLINE"),
    ],
)
def test_judge(lower: float, upper: float, word: str) -> None:
    assert gate_word(Estimate(value=0.65, lower=lower, upper=upper)) == word


def test_borderline_counts_as_failing() -> None:
    macro_f1 = Estimate(value=0.66, lower=0.63, upper=0.69)
    assert gate_sentence(macro_f1, "BORDERLINE", 1000) == (
        "This checkpoint reaches a macro-F1 of 66.0% (95% interval 63.0% to 69.0%) "
        "on 1,000 sealed test images, not clear of the 65% gate and counts as failing."
    )


@pytest.mark.parametrize(
    ("right_of_100", "word", "passed"),
    [(90, "ABOVE", True), (66, "BORDERLINE", False), (40, "BELOW", False)],
)
def test_section(right_of_100: int, word: str, passed: bool) -> None:
    confusion = np.array([[right_of_100, 100 - right_of_100], [100 - right_of_100, right_of_100]])
    statistics = {"macro_f1": metrics.macro_f1, "accuracy": metrics.accuracy}
    rng = np.random.default_rng(0)
    section = verdict_section(
        confusion, bootstrap(confusion, statistics, num_resamples=400, rng=rng)
    )
    assert (section["word"], section["passed"], section["num_images"]) == (word, passed, 200)
    for name in ("macro_f1", "accuracy"):
        assert section[name]["lower"] < section[name]["value"] < section[name]["upper"]
        assert section[name]["value"] == pytest.approx(right_of_100 / 100)
