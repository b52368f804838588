"""Scores of detectors from hand-made cells, and what a miss does to claims."""

from dataclasses import replace

import pytest

from analysis.shortcuts.background import ANY_CLASS_CLAIM
from analysis.shortcuts.colour import GREEN_FROG_CLAIM
from analysis.statistics.claims import Claim
from analysis.validate.scores import Cell, downgrade, downgraded, score

CELL = Cell(
    detector="colour",
    model=0,
    clean=False,
    name="frog",
    planted=True,
    strength=0.8,
    reliance=0.5,
    flagged=True,
    named="green",
    culprit="green",
)
CLEAN = replace(
    CELL,
    clean=True,
    planted=False,
    strength=0.0,
    reliance=0.0,
    flagged=False,
    named=None,
    culprit=None,
)
CONFIRMED = Claim(
    claim="c", verdict="CONFIRMED", rule="r", control="k", num_images=9, sentence="S.", section="s"
).to_dict()


def test_a_perfect_detector_meets_its_goals() -> None:
    told = score([CELL] * 20 + [CLEAN] * 40)
    assert (told["num_found"], told["num_clean_flagged"], told["num_named"]) == (20, 0, 20)
    assert told["meets_goals"]
    assert downgrade([CONFIRMED], told) == [CONFIRMED]
    # Wilson's interval of 20 of 20: (0.8389, 1)
    assert told["recall"]["lower"] == pytest.approx(0.8389, abs=1e-4)


def test_cells_between_the_limits_count_for_neither() -> None:
    unclear = replace(CELL, reliance=0.1)
    told = score([CELL, unclear, replace(unclear, planted=False)])
    assert (told["num_biased"], told["num_false"], told["num_free"]) == (1, 0, 0)


def test_a_flag_by_another_plant_is_no_false_one() -> None:
    told = score([CELL, replace(CELL, planted=False), CLEAN])
    assert told["precision"]["value"] == 1.0


@pytest.mark.parametrize(
    ("cells", "miss"),
    [
        ([CELL] * 8 + [replace(CELL, flagged=False)] * 2 + [CLEAN] * 20, "recall 0.80"),
        ([CELL] * 10 + [CLEAN] * 9 + [replace(CLEAN, flagged=True)], "10.0% of clean"),
        ([CELL] * 8 + [replace(CELL, named="red")] * 2 + [CLEAN] * 20, "culprit named in 80%"),
        ([CLEAN] * 20, "recall nan"),
    ],
)
def test_a_miss_downgrades_what_was_confirmed(cells: list[Cell], miss: str) -> None:
    told = score(cells)
    assert any(miss in line for line in told["misses"])
    weaker = downgrade([CONFIRMED, CONFIRMED | {"verdict": "REFUTED"}], told)
    assert [claim["verdict"] for claim in weaker] == ["INCONCLUSIVE", "REFUTED"]
    assert miss in weaker[0]["sentence"]


def test_an_unvalidated_detector_confirms_nothing() -> None:
    assert downgrade([CONFIRMED], None)[0]["verdict"] == "INCONCLUSIVE"


def test_a_good_detector_confirms_only_what_it_was_validated_for() -> None:
    good = {"detectors": {"background": {"misses": []}, "colour": {"misses": []}}}
    claims = [
        CONFIRMED | {"claim": text}
        for text in (ANY_CLASS_CLAIM.claim, "airplane and bird", GREEN_FROG_CLAIM.claim)
    ]
    told = downgraded({"claims": claims}, good)["claims"]
    assert [claim["verdict"] for claim in told] == ["CONFIRMED", "INCONCLUSIVE", "CONFIRMED"]
    assert "not validated" in told[1]["sentence"]
