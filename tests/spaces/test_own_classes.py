"""Spaces where nobody said which classes are organic."""

from dataclasses import replace

import pytest

from spaces.registry import check_space, load_space, quiet_study
from tests.helpers.draws import ANY_SPACE
from trainables.errors import UserError

UNKNOWN = replace(ANY_SPACE, organic="")


@pytest.mark.parametrize("name", ["full", "interventions"])
def test_what_needs_organic_classes_is_not_asked(name):
    study = quiet_study(seed=0)
    drawn = [load_space(name)(study.ask(), UNKNOWN) for _ in range(60)]
    assert "adaptive" not in {config.augmentation for config in drawn}
    assert {config.class_weights for config in drawn} == {"none", "balanced"}
    assert {config.organic for config in drawn} == {""}


def test_a_space_that_insists_is_refused_before_the_first_trial():
    with pytest.raises(UserError, match="--space decks: augmentation is 'adaptive' and no class"):
        check_space("decks", replace(UNKNOWN, weights="imagenet"))
