"""From parts to epochs, with round numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.plan.costs import (
    Below,
    Demand,
    EpochCost,
    MeasuredCosts,
    Parts,
    between,
    combine,
    epochs,
    total_flops,
)
from search.settings.settings import Settings

SETTINGS = Settings(train_size=1_000, val_size=100, batch_size=50)
CHEAP = Parts(
    forward_flops=1.0,
    step_flops=2.0,
    head=0.001,
    mixed=0.002,
    finetune=0.003,
    validation=0.01,
    head_checkpoint=0.0,
    finetune_checkpoint=1.0,
)
DEAR = Parts(
    forward_flops=1.0,
    step_flops=4.0,
    head=0.003,
    mixed=0.004,
    finetune=0.009,
    validation=0.03,
    head_checkpoint=0.0,
    finetune_checkpoint=3.0,
)
MEASURED = MeasuredCosts(cheap=CHEAP, dear=DEAR, views={"flip": 0.0005}, start=20.0)
DEMAND = Demand(
    augmentation="flip",
    mixed_share=0.0,
    head_epochs=2,
    frozen=("a", 64),
    forward_flops=1.0,
    step_flops=(3.0,),
    below=(Below(num_parts=7, share=0.1, picture_bytes=1_000),),
)
ALONE = replace(SETTINGS, reuse="off")


def seconds(demand: Demand, settings: Settings = ALONE) -> list[float]:
    return [epoch.own for epoch in epochs(demand, MEASURED, settings)]


def test_a_trials_epochs_by_hand():
    # Every epoch: 1,000 x 0.0005 of view. Phase 1: 1,000 x 0.002, which is the
    # mean of two measurements at the same work; its 100 x 0.02 of validation only once. Phase 2:
    # half way between the ends, 1,000 x 0.006, validation, and a checkpoint of 2.
    assert seconds(DEMAND) == pytest.approx([0.5 + 2.0 + 2.0, 0.5 + 2.0, 0.5 + 6.0 + 2.0 + 2.0])


def test_mixed_batches_take_the_full_forward_pass():
    mixed = seconds(replace(DEMAND, mixed_share=0.25))
    assert mixed[1] == pytest.approx(0.5 + 1_000 * (0.75 * 0.002 + 0.25 * 0.003))


def test_two_workers_divide_all_but_the_view():
    two = seconds(DEMAND, replace(SETTINGS, workers_per_trial=2))
    assert two[1] == pytest.approx(0.5 + (seconds(DEMAND)[1] - 0.5) / 2)


def test_no_phase_2_costs_nothing():
    assert len(epochs(replace(DEMAND, step_flops=(), below=()), MEASURED, SETTINGS)) == 2


def test_what_is_shared_is_paid_once():
    first, second, third = epochs(DEMAND, MEASURED, replace(SETTINGS, reuse="trunk"))
    # A frozen pass takes as long as a step of phase 1 here: min(0.02, 0.002) a picture.
    assert first.shared == pytest.approx(
        {("view", ("flip", 1)): 0.5, ("features", ("a", 64), ("flip", 1)): 2.0,
         ("validation", ("a", 64)): 2.0}
    )  # fmt: skip
    assert first.own == pytest.approx(0.0)
    assert set(second.shared) == {("view", ("flip", 2)), ("features", ("a", 64), ("flip", 2))}
    # Below the unfreeze point: a tenth of the frozen pass of 0.02.
    point = (("a", 64), 7)
    assert third.shared == pytest.approx(
        {("view", ("flip", 3)): 0.5, ("below", point, ("flip", 3)): 2.0,
         ("below, validation", point): 0.2}
    )  # fmt: skip
    assert third.own == pytest.approx((6.0 - 2.0) + (2.0 - 0.2) + 2.0)


@pytest.mark.parametrize("reuse", ["head", "trunk"])
def test_a_trial_alone_gains_nothing(reuse):
    alone = [epoch.alone for epoch in epochs(DEMAND, MEASURED, replace(SETTINGS, reuse=reuse))]
    assert alone == pytest.approx(seconds(DEMAND))


def test_only_what_fits_is_shared():
    big = replace(DEMAND, below=(replace(DEMAND.below[0], picture_bytes=10**6),))
    shared = epochs(big, MEASURED, SETTINGS)[-1].shared
    assert list(shared) == [("view", ("flip", 3))]  # 1 GB an epoch, of 8 GB
    assert len(epochs(DEMAND, MEASURED, SETTINGS)[-1].shared) == 3  # 1 MB


def test_without_augmentation_all_epochs_see_the_same():
    plain = replace(MEASURED, views={"none": 0.0005})
    first, second, _ = epochs(replace(DEMAND, augmentation="none"), plain, SETTINGS)
    assert set(second.shared) < set(first.shared)


def test_an_epoch_alone():
    assert EpochCost(own=1.0, shared={"view": 2.0, "features": 3.0}).alone == 6.0


def test_the_work_of_a_trial():
    # 2 epochs of 1,000 frozen, 2 validations of 100, 1,000 steps of work 3.
    assert total_flops(DEMAND, SETTINGS) == 2_000 + 200 + 3_000


def test_measurements_are_combined_part_by_part():
    assert combine([CHEAP, DEAR], min).head == 0.001
    assert combine([CHEAP, DEAR], max).head == 0.003
    assert combine([CHEAP, replace(CHEAP, head=0.0)], max) == CHEAP


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(-10, 10))
def test_nothing_is_extrapolated(x, y1, y2):
    found = between(x, (1.0, y1), (2.0, y2))
    assert min(y1, y2) <= found <= max(y1, y2)
    assert found == pytest.approx(between(x, (2.0, y2), (1.0, y1)))


def test_between_two_points_lies_a_line():
    assert between(1.5, (1.0, 0.0), (2.0, 10.0)) == 5.0
    assert between(7.0, (1.0, 0.0), (1.0, 10.0)) == 5.0
