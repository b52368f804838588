"""Searches played through, with round numbers."""

from dataclasses import replace

import numpy as np
import pytest

from search.plan.costs import Below, Demand, EpochCost, MeasuredCosts, Parts
from search.plan.forecast import asha, forecast, halving, simulate
from search.settings.settings import Settings

# Rungs at 1, 3 and 9 phase-2 epochs.
SETTINGS = Settings(train_size=1_000, val_size=100, head_epochs=1, finetune_epochs=9, reuse="off")
TRIAL = [EpochCost(own=own, shared={}) for own in (10.0, 1.0, 1.0)]  # phase 1, then phase 2
PARTS = Parts(
    forward_flops=1.0,
    step_flops=1.0,
    head=0.001,
    mixed=0.001,
    finetune=0.002,
    validation=0.0,
    head_checkpoint=0.0,
    finetune_checkpoint=0.0,
)
EXPECTED = MeasuredCosts(cheap=PARTS, dear=PARTS, views={"none": 0.0}, start=20.0)
MEASURED = {
    "low": replace(EXPECTED, start=10.0),
    "expected": EXPECTED,
    "high": replace(EXPECTED, start=30.0),
}
# 1 second for phase 1, 9 x 2 for phase 2.
DEMAND = Demand(
    augmentation="none",
    mixed_share=0.0,
    head_epochs=1,
    frozen=(),
    forward_flops=1.0,
    step_flops=(1.0,) * 9,
    below=(Below(num_parts=0, share=0.0, picture_bytes=0),) * 9,
)


def never(number: int, epoch: int) -> bool:
    return False


def after_one(number: int, epoch: int) -> bool:
    return number > 0 and epoch == 1


def played(stops, *, concurrent: int, trials: int = 3):
    return simulate(
        [TRIAL] * trials, [1] * trials, concurrent=concurrent, start_seconds=5, stops=stops
    )


def test_one_after_the_other_and_side_by_side():
    assert played(never, concurrent=1).ends == (17.0, 29.0, 41.0)  # a slot starts once, in 5 s
    # The third starts when the first two have ended.
    assert played(never, concurrent=2).ends == (17.0, 17.0, 29.0)
    assert played(never, concurrent=9).seconds == 17.0
    assert played(never, concurrent=9).epochs == 9


def test_a_stopped_trial_makes_room_at_once():
    found = played(after_one, concurrent=2)
    assert found.ends == (16.0, 17.0, 27.0)
    assert found.epochs == 3 + 2 + 2


def test_what_is_shared_costs_the_first_alone():
    trial = [EpochCost(own=1.0, shared={"view": 2.0}), EpochCost(own=1.0, shared={"more": 4.0})]
    found = simulate([trial] * 3, [1] * 3, concurrent=1, start_seconds=0, stops=never)
    assert found.ends == (8.0, 10.0, 12.0)


def test_the_end_of_a_trial_asks_no_one():
    asked = []

    def noted(number: int, epoch: int) -> bool:
        asked.append((number, epoch))
        return False

    played(noted, concurrent=1, trials=1)
    assert asked == [(0, 1)]  # neither in phase 1 nor at the end


def test_halving_lets_one_in_eta_pass():
    stops = halving(9, SETTINGS)
    assert [n for n in range(9) if not stops(n, 1)] == [0, 1, 2]
    assert [n for n in range(9) if not stops(n, 3)] == [0]
    assert not any(stops(n, 2) for n in range(9))


def test_asha_stops_most_and_never_the_first():
    stops = asha(30, SETTINGS, np.random.default_rng(0))
    stopped = [stops(number, 1) for number in range(30)]
    assert not stopped[0]
    assert 15 <= sum(stopped) <= 25
    assert not stops(0, 2)  # no rung


def test_late_bloomers_are_let_run_on():
    spared = replace(SETTINGS, late_bloomers=1.0)
    stops = asha(30, spared, np.random.default_rng(0))
    assert not any(stops(number, 1) for number in range(30))


def made(settings: Settings = SETTINGS, **changes: int):
    sizes = {"num_first": 1, "num_trials": 9, "concurrent": 1} | changes
    return forecast([DEMAND] * 5, MEASURED, settings, **sizes)


def test_a_whole_trial_and_the_bounds_of_a_search():
    found = made()
    assert found.trial_seconds.low == pytest.approx(10 + 19)
    assert found.trial_seconds.expected == pytest.approx(20 + 19)
    assert found.trial_seconds.high == pytest.approx(30 + 19)
    # low: six trials of 2 epochs (3 s), two of 4 (7 s), one of 10 (19 s); high: nine whole ones.
    assert found.epochs.low == 6 * 2 + 2 * 4 + 10
    assert found.search_seconds.low == pytest.approx(10 + 6 * 3 + 2 * 7 + 19)
    assert found.epochs.high == 90
    assert found.search_seconds.high == pytest.approx(30 + 9 * 19)
    assert found.search_seconds.low < found.search_seconds.expected < found.search_seconds.high
    assert found.epochs.low < found.epochs.expected < found.epochs.high


def test_more_at_a_time_take_less_time_and_as_many_epochs():
    one, three = made(), made(concurrent=3)
    assert three.search_seconds.high == pytest.approx(30 + 3 * 19)
    assert one.search_seconds.high == pytest.approx(30 + 9 * 19)
    assert three.epochs.high == one.epochs.high


def test_so_many_trials_fit_in_the_hours():
    assert made().ended.low == made().ended.high == 9
    # Of 60 s: one whole trial of 30 + 19 s in the slow search; the quick one takes 61 s for nine.
    short = made(replace(SETTINGS, max_hours=60 / 3600, reserve_trials=0))
    assert short.ended.low == 1
    assert 1 < short.ended.expected < 8
    assert short.ended.high == 8
    assert short.spent_seconds.high == pytest.approx(60)
    assert short.search_seconds == made().search_seconds
    half = made(replace(SETTINGS, max_hours=294 / 3600))  # the other half is kept for confirm
    assert half.spent_seconds.high == pytest.approx(147)


def test_the_points_asked_first_come_first():
    dear = replace(DEMAND, step_flops=(1.0,) * 18, below=DEMAND.below * 2)
    found = forecast([dear, DEMAND], MEASURED, SETTINGS, num_first=1, num_trials=2, concurrent=2)
    assert found.search_seconds.high == pytest.approx(30 + 1 + 36)


def test_a_seed_gives_the_same_forecast():
    assert made() == made()
