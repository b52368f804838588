"""A pair of classes by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.config import pair_faults, pair_indices, pair_names, pair_text
from trainables.errors import UserError

NAMES = ("cat", "deer", "dog")
NAME = st.text(st.characters(exclude_characters="+"), min_size=1).filter(lambda t: t == t.strip())


@given(first=NAME, second=NAME)
def test_a_pair_survives_its_text(first, second):
    assert pair_names(pair_text(first, second)) == (first, second)


@pytest.mark.parametrize("text", ["", "cat", "+dog", "cat+", "a+b+c"])
def test_what_is_no_pair_has_no_names(text):
    assert pair_names(text) is None


def test_positions_come_in_order():
    assert pair_indices("dog+cat", NAMES) == (0, 2)
    assert pair_indices("", NAMES) is None


def test_faults_name_the_class_and_the_way_out():
    assert list(pair_faults(("cat", "lynx"), NAMES)) == [
        "class 'lynx' is unknown; allowed: two of cat, deer, dog"
    ]
    with pytest.raises(UserError, match="pair is 'cat\\+cat': the pair is 'cat' twice"):
        pair_indices("cat+cat", NAMES)
