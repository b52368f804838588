"""A trial's configuration.

A pair of classes by their names.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.config import (
    CHOICES,
    FineTuneConfig,
    pair_faults,
    pair_indices,
    pair_names,
    pair_text,
)
from trainables.errors import UserError

NAMES = ("cat", "deer", "dog")
NAME = st.text(st.characters(exclude_characters="+"), min_size=1).filter(lambda t: t == t.strip())


def test_all_faults_are_told_at_once():
    with pytest.raises(UserError) as caught:
        FineTuneConfig(head="deep", dropout=2.0, batch_size=8.5, seed=True, weights="")
    assert len(caught.value.faults) == 5
    assert "head is 'deep'; allowed: linear, mlp, bn_dropout" in caught.value.faults


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(UserError, match="'learning_rate' is unknown; allowed: backbone"):
        FineTuneConfig.from_dict({"learning_rate": 0.1})


def test_native_resolution_and_a_larger_one_contradict():
    with pytest.raises(UserError, match="interpolation is 'none' with resolution_px 64"):
        FineTuneConfig(interpolation="none", resolution_px=64)


def test_training_cannot_end_after_its_last_epoch():
    assert FineTuneConfig(head_epochs=2, finetune_epochs=3, last_epoch=5).final_epoch == 5
    assert FineTuneConfig(head_epochs=2, finetune_epochs=3).final_epoch == 5
    with pytest.raises(UserError, match="last_epoch is 6; allowed: 0 to 5"):
        FineTuneConfig(head_epochs=2, finetune_epochs=3, last_epoch=6)


@pytest.mark.parametrize("pair", ["cat", "cat+", "cat+dog+frog", 3])
def test_a_pair_is_two_names(pair):
    with pytest.raises(UserError, match=r"pair is .*; allowed: two classes such as 'cat\+dog'"):
        FineTuneConfig(pair=pair)


def test_pair_weights_want_a_pair():
    assert FineTuneConfig(class_weights="pair", pair="cat+dog").pair_factor == 1.5
    with pytest.raises(UserError, match="class_weights is 'pair' without a pair"):
        FineTuneConfig(class_weights="pair")


def test_not_a_number_is_out_of_bounds():
    with pytest.raises(UserError, match="head_lr is nan"):
        FineTuneConfig(head_lr=float("nan"))


@given(
    head=st.sampled_from(CHOICES["head"]),
    unfreeze=st.sampled_from(CHOICES["unfreeze"]),
    head_lr=st.floats(1e-7, 10.0),
    ratio=st.floats(1e-6, 10.0),
    seed=st.integers(0, 2**31 - 1),
)
@settings(deadline=None)  # a busy machine takes its time
def test_a_configuration_survives_json(head, unfreeze, head_lr, ratio, seed):
    config = FineTuneConfig(
        head=head, unfreeze=unfreeze, head_lr=head_lr, backbone_lr_ratio=ratio, seed=seed
    )
    assert FineTuneConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


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
