import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.data.splits import split_indices
from trainables.errors import UserError

SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def pools(draw: st.DrawFn) -> tuple[np.ndarray, int, int]:
    """Shuffled labels and two sizes in which each class's share is at least four pictures."""
    counts = np.array(draw(st.lists(st.integers(20, 60), min_size=2, max_size=6)))
    smallest = int(np.ceil(4 * counts.sum() / counts.min()))
    train_size = draw(st.integers(smallest, counts.sum() - smallest))
    val_size = draw(st.integers(smallest, counts.sum() - train_size))
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(SEEDS)).permutation(labels), train_size, val_size


@settings(deadline=None, max_examples=50)
@given(pool=pools(), seed=SEEDS)
def test_the_parts_are_disjoint_and_of_the_sizes_asked(
    pool: tuple[np.ndarray, int, int], seed: int
) -> None:
    labels, train_size, val_size = pool
    train, val = split_indices(labels, train_size=train_size, val_size=val_size, seed=seed)
    assert (len(train), len(val)) == (train_size, val_size)
    assert len(set(train) | set(val)) == train_size + val_size


@settings(deadline=None, max_examples=50)
@given(pool=pools(), seed=SEEDS)
def test_each_class_keeps_its_share_within_one_picture(
    pool: tuple[np.ndarray, int, int], seed: int
) -> None:
    labels, train_size, val_size = pool
    train, val = split_indices(labels, train_size=train_size, val_size=val_size, seed=seed)
    counts = np.bincount(labels)
    in_train, in_val = np.bincount(labels[train]), np.bincount(labels[val])
    assert np.abs(in_train - train_size * counts / counts.sum()).max() < 1 + 1e-9
    left = counts - in_train
    assert np.abs(in_val - val_size * left / left.sum()).max() < 1 + 1e-9


@settings(deadline=None, max_examples=50)
@given(pool=pools(), seed=SEEDS)
def test_one_seed_is_one_split(pool: tuple[np.ndarray, int, int], seed: int) -> None:
    labels, train_size, val_size = pool
    first = split_indices(labels, train_size=train_size, val_size=val_size, seed=seed)
    again = split_indices(labels, train_size=train_size, val_size=val_size, seed=seed)
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))


def test_another_seed_is_another_split() -> None:
    labels = np.repeat([0, 1], 50)
    first, _ = split_indices(labels, train_size=40, val_size=20, seed=0)
    second, _ = split_indices(labels, train_size=40, val_size=20, seed=1)
    assert set(first) != set(second)


def test_the_two_parts_may_use_up_the_whole_pool() -> None:
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    train, val = split_indices(labels, train_size=48, val_size=12, seed=3)
    assert sorted([*train, *val]) == list(range(60))
    assert np.bincount(labels[val]).tolist() == [2, 4, 6]


def test_text_labels_split_as_their_indices_do() -> None:
    names = np.array(["ant", "bee", "cow"])
    labels = np.tile([2, 0, 1], 10)
    by_index = split_indices(labels, train_size=12, val_size=9, seed=5)
    by_name = split_indices(names[labels], train_size=12, val_size=9, seed=5)
    np.testing.assert_array_equal(np.concatenate(by_index), np.concatenate(by_name))


def test_all_faults_of_a_pool_are_listed_at_once() -> None:
    labels = np.array(["ant"] * 10 + ["bee"] * 3 + ["cow"])
    with pytest.raises(UserError) as caught:
        split_indices(labels, train_size=20, val_size=5, seed=0)
    assert caught.value.faults == (
        "train_size 20 + val_size 5 is 25 pictures; allowed: at most the 14 of the training pool; "
        "lower one of the two",
        "val_size is 5; allowed: at least 6, 2 for each of the 3 classes; raise it",
        "class bee has 3 pictures in the training pool; allowed: at least 4, 2 for each part; "
        "add pictures or remove the class",
        "class cow has 1 pictures in the training pool; allowed: at least 4, 2 for each part; "
        "add pictures or remove the class",
    )


def test_a_class_that_the_draw_leaves_too_thin_is_named() -> None:
    labels = np.array(["ant"] * 96 + ["bee"] * 4)
    with pytest.raises(UserError, match="val_size 10 holds 0 pictures of class bee"):
        split_indices(labels, train_size=50, val_size=10, seed=0)
