"""Confused pairs from hand-made matrices, and the batches drawn from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.training.hard_mining import ConfusedPair, confused_pairs, mine_batches

LABELS = np.arange(200) % 4  # fifty pictures of each of four classes


def confusion(counts: list[list[int]]) -> np.ndarray:
    return np.array(counts, dtype=np.int64)


def test_rates_are_symmetrised_and_sorted() -> None:
    pairs = confused_pairs(
        confusion(
            [
                [80, 10, 0, 10],  # of 100
                [8, 12, 0, 0],  # of 20: each of its errors weighs five times as much
                [0, 0, 40, 10],  # of 50
                [0, 0, 0, 10],  # of 10
            ]
        )
    )
    assert [pair[:2] for pair in pairs] == [(0, 1), (2, 3), (0, 3)]
    assert [pair.rate for pair in pairs] == pytest.approx(
        [(10 / 100 + 8 / 20) / 2, (10 / 50 + 0) / 2, (10 / 100 + 0) / 2]
    )


def test_only_as_many_pairs_as_asked_for() -> None:
    everywhere = np.full((4, 4), 5)
    assert [pair[:2] for pair in confused_pairs(everywhere, num_pairs=2)] == [(0, 1), (0, 2)]
    assert len(confused_pairs(everywhere, num_pairs=99)) == 6


def test_equal_rates_come_in_the_order_of_the_classes() -> None:
    # Every pair has the rate 1 / 10; the matrix read backwards gives the same order.
    equal = np.full((4, 4), 1) + np.diag([6] * 4)
    order = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert [pair[:2] for pair in confused_pairs(equal, num_pairs=6)] == order
    assert [pair[:2] for pair in confused_pairs(equal[::-1, ::-1], num_pairs=6)] == order


def test_fewer_pairs_without_errors_and_none_for_a_perfect_model() -> None:
    assert confused_pairs(confusion([[9, 1, 0], [0, 9, 0], [0, 0, 9]])) == [
        ConfusedPair(0, 1, 0.1 / 2)
    ]
    assert confused_pairs(np.diag([7, 7, 7])) == []


def test_a_class_without_pictures_is_in_no_pair() -> None:
    # Class 2 was predicted three times but has no picture to draw.
    assert confused_pairs(confusion([[5, 0, 3], [0, 5, 0], [0, 0, 0]])) == []


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 50), min_size=25, max_size=25), num_pairs=st.integers(0, 12))
def test_pairs_are_ordered_distinct_and_do_not_depend_on_who_errs(counts, num_pairs) -> None:
    matrix = np.array(counts).reshape(5, 5)
    pairs = confused_pairs(matrix, num_pairs)
    assert len(pairs) <= num_pairs
    assert len({pair[:2] for pair in pairs}) == len(pairs)
    assert all(first < second and 0 < rate <= 1 for first, second, rate in pairs)
    assert [pair.rate for pair in pairs] == sorted((pair.rate for pair in pairs), reverse=True)


@pytest.mark.parametrize("weights", [(3, 1), (0.03, 0.01)])
@pytest.mark.parametrize("seed", range(5))
def test_batches_are_shared_among_the_pairs_exactly_by_weight(weights, seed) -> None:
    pairs = [(0, 1, weights[0]), (2, 3, weights[1])]
    drawn = mine_batches(
        LABELS, pairs, num_batches=40, batch_size=8, rng=np.random.default_rng(seed)
    )
    assert drawn.shape == (40, 8)
    assert drawn.dtype == np.int64
    classes = [tuple(np.unique(LABELS[batch])) for batch in drawn]
    assert classes.count((0, 1)) == 30
    assert classes.count((2, 3)) == 10
    assert classes != sorted(classes)  # the pairs take turns at random


def test_a_share_that_is_no_whole_number_is_rounded_either_way_and_right_on_average() -> None:
    pairs = [(0, 1, 0.5), (0, 2, 0.3), (1, 3, 0.2)]
    rng = np.random.default_rng(0)
    counts = np.zeros((400, 3))
    for times in counts:
        drawn = mine_batches(LABELS, pairs, num_batches=7, batch_size=2, rng=rng)
        classes = [tuple(np.unique(LABELS[batch])) for batch in drawn]
        times[:] = [classes.count(pair[:2]) for pair in pairs]
    assert set(counts[:, 0]) == {3, 4}  # 3.5 expected
    assert set(counts[:, 1]) == {2, 3}  # 2.1
    assert set(counts[:, 2]) == {1, 2}  # 1.4
    # A count is off by at most 0.5 a draw in standard deviation: 0.1 is four of the mean's.
    np.testing.assert_allclose(counts.mean(axis=0), [3.5, 2.1, 1.4], atol=0.1)


@pytest.mark.parametrize(("batch_size", "halves"), [(8, {4}), (9, {4, 5}), (2, {1})])
def test_halves_are_as_equal_as_can_be_and_no_picture_comes_twice(batch_size, halves) -> None:
    drawn = mine_batches(
        LABELS,
        [(1, 3, 0.2)],
        num_batches=30,
        batch_size=batch_size,
        rng=np.random.default_rng(1),
    )
    assert {int((LABELS[batch] == 1).sum()) for batch in drawn} == halves
    assert all(len(np.unique(batch)) == batch_size for batch in drawn)
    assert any(LABELS[batch[0]] == 1 for batch in drawn)  # the classes are mixed within a batch
    assert any(LABELS[batch[0]] == 3 for batch in drawn)


def test_every_picture_of_a_pair_gets_its_turn() -> None:
    drawn = mine_batches(
        LABELS, [(1, 3, 0.2)], num_batches=60, batch_size=20, rng=np.random.default_rng(2)
    )
    assert np.array_equal(np.unique(drawn), np.flatnonzero(LABELS % 2 == 1))


def test_a_class_smaller_than_its_half_is_drawn_with_replacement() -> None:
    labels = np.array([0] * 30 + [1] * 3)
    drawn = mine_batches(
        labels, [(0, 1, 1.0)], num_batches=20, batch_size=10, rng=np.random.default_rng(3)
    )
    for batch in drawn:
        assert (labels[batch] == 1).sum() == 5
        assert len(np.unique(batch[labels[batch] == 0])) == 5  # the large class is not repeated
    assert set(drawn[labels[drawn] == 1]) == {30, 31, 32}


def test_the_generator_decides_everything() -> None:
    def drawn(seed: int) -> np.ndarray:
        pairs = [(0, 1, 0.2), (1, 2, 0.1)]
        rng = np.random.default_rng(seed)
        return mine_batches(LABELS, pairs, num_batches=6, batch_size=8, rng=rng)

    first = drawn(4)
    np.random.seed(0)
    assert np.array_equal(drawn(4), first)
    assert not np.array_equal(drawn(5), first)


def test_no_batches_need_no_pairs() -> None:
    rng = np.random.default_rng(0)
    assert mine_batches(LABELS, [], num_batches=0, batch_size=8, rng=rng).shape == (0, 8)


@pytest.mark.parametrize(
    ("pairs", "message"), [([], "pairs is empty"), ([(0, 7, 0.1)], r"classes \[7\] have no")]
)
def test_what_cannot_be_drawn_is_refused(pairs, message) -> None:
    with pytest.raises(ValueError, match=message):
        mine_batches(LABELS, pairs, num_batches=2, batch_size=8, rng=np.random.default_rng(0))
