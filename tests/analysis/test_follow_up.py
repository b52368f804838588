"""The command that a cause leads to is one that the search takes."""

import shlex
from pathlib import Path

import pytest

from analysis.report.root_cause import follow_up_command
from search.settings.settings import Settings
from spaces.interventions import aimed_arms
from trainables.config import FineTuneConfig

RUN = Path("runs/my run")


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
