"""Which causes are named for a flagged pair, from hand-made sections.

The command that a cause leads to is one that the search takes.
"""

import shlex
from pathlib import Path

import pytest

from analysis.report.root_cause import (
    HUMAN_PAIR_RATES,
    UNEXPLAINED,
    follow_up_command,
    human_pair_rates,
    root_causes,
)
from search.settings.settings import Settings
from spaces.interventions import aimed_arms
from trainables.classes import CIFAR10_CLASSES
from trainables.config import FineTuneConfig

ESTIMATE = {"value": 0.2, "lower": 0.1, "upper": 0.3}
UNTESTED_LABELS = {"tested": False, "reason": "cleanlab is not installed", "pairs": []}
RUN = Path("runs/my run")


def pair_row(first="cat", second="dog", rate=(0.08, 0.06, 0.10), flagged=True):
    return {
        "first": first,
        "second": second,
        "counts": [40, 38],
        "num_images": 1000,
        "rate": dict(zip(("value", "lower", "upper"), rate, strict=True)),
        "ratio": ESTIMATE,
        "flagged": flagged,
    }


def causes(row, *, attracts=False, colour="REFUTED", reads="undecided", labels=UNTESTED_LABELS):
    (found,) = root_causes(
        {"pairs": [row, pair_row("bird", "frog", flagged=False)]},
        background={
            "tested": True,
            "pairs": [
                {"true": a, "donor": b, "attraction": ESTIMATE, "attracts": attracts and a == "cat"}
                for a, b in (("cat", "dog"), ("dog", "cat"), ("bird", "frog"))
            ],
        },
        colour={
            "tested": True,
            "classes": [
                {"name": name, "hue_excess": ESTIMATE, "verdict": colour} for name in ("cat", "dog")
            ],
        },
        texture={"pairs": [{"pair": ["dog", "cat"], "excess": ESTIMATE, "reads": reads}]},
        labels=labels,
        human_rates=HUMAN_PAIR_RATES,
        run_folder=Path("runs/demo"),
    )
    return found


def test_nothing_that_came_out_leaves_it_unexplained():
    found = causes(pair_row())
    assert found["causes"] == []
    assert found["verdict"].startswith("Unexplained")
    assert "wrong labels" in found["verdict"]  # what was not tested is told
    assert "--around runs/demo --aim cat,dog" in found["command"]


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        ({"attracts": True}, "contextual over-fitting"),
        ({"colour": "CONFIRMED"}, "colour"),
        ({"reads": "texture"}, "texture"),
    ],
)
def test_a_test_that_came_out_names_its_cause(outcome, cause):
    found = causes(pair_row(), **outcome)
    assert found["causes"] == [cause]
    assert found["verdict"].startswith(f"Consistent with {cause}.")


def test_a_rate_that_people_have_too_is_semantic_and_a_lower_bound_above_theirs_is_not():
    assert causes(pair_row(rate=(0.04, 0.037, 0.05)))["causes"] == ["semantic overlap"]
    assert causes(pair_row(rate=(0.05, 0.039, 0.06)))["causes"] == []


def test_several_causes_are_listed_and_none_is_chosen():
    found = causes(pair_row(rate=(0.04, 0.03, 0.05)), attracts=True)
    assert found["causes"] == ["semantic overlap", "contextual over-fitting"]
    assert "do not choose" in found["verdict"]


@pytest.mark.parametrize(("recall", "answer"), [(0.9, "no"), (0.4, "not tested")])
def test_wrong_labels_are_ruled_out_or_left_to_a_person(recall, answer):
    labels = {
        "tested": True,
        "recall": {"value": recall, "lower": recall, "upper": 1.0},
        "pairs": [
            {"given": "cat", "suggested": "dog", "count": 10, "errors": 40},
            {"given": "dog", "suggested": "cat", "count": 10, "errors": 38},
            {"given": "dog", "suggested": "frog", "count": 9, "errors": 9},
        ],
    }
    found = causes(pair_row(), labels=labels)
    finding = found["findings"][0]
    assert finding["answer"] == answer
    assert "20 of the pair's 78 errors" in finding["sentence"]
    assert ("only a person" in finding["sentence"]) == (answer == "not tested")
    assert found["causes"] == []


def test_what_the_pictures_did_not_allow_is_said():
    (found,) = root_causes(
        {"pairs": [pair_row("kite", "wasp")]},
        background={"tested": False, "reason": "too few pictures", "pairs": []},
        colour={"tested": False, "reason": "too few pictures"},
        texture={"pairs": []},
        labels=UNTESTED_LABELS,
        human_rates={},
        run_folder=Path("runs/demo"),
    )
    assert {finding["answer"] for finding in found["findings"]} == {"not tested"}
    assert UNEXPLAINED in found["verdict"].lower()


def test_people_are_quoted_for_photographs_of_these_classes_alone():
    assert human_pair_rates(CIFAR10_CLASSES, "cifar10") is HUMAN_PAIR_RATES
    assert human_pair_rates(CIFAR10_CLASSES, "synthetic") == {}
    assert human_pair_rates(("cat", "dog"), "imagefolder") == {}


def flags(command: str) -> dict[str, str]:
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "search.run"]
    return dict(zip(words[3::2], words[4::2], strict=True))


@pytest.mark.parametrize(
    "cause", ["semantic overlap", "background", "colour", "texture", "unexplained"]
)
def test_the_command_is_of_settings_that_are_allowed(cause):
    told = flags(follow_up_command(RUN, ("cat", "dog"), cause))
    values = {flag.removeprefix("--"): value for flag, value in told.items()}
    settings = Settings(**values)
    assert (settings.space, settings.around, settings.aim) == (
        "interventions", "runs/my run", "cat,dog"
    )  # fmt: skip
    named = [name for name in settings.arms.split(",") if name]
    for winner in (FineTuneConfig(), FineTuneConfig(cutmix_probability=0.5)):
        assert set(named) <= aimed_arms(winner, "cat+dog", "deer+ship").keys()


def test_classes_that_are_alike_get_what_weighs_them_more():
    told = flags(follow_up_command(RUN, ("cat", "dog"), "Semantic overlap"))
    assert told["--arms"] == "pair_weights,hard_mining"
