"""ASHA's decisions, with numbers by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from ray.tune.schedulers import TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket

from search.settings.settings import Settings
from search.tuning.rungs import stopping_epochs
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule


def rungs(**settings: float) -> Rungs:
    return Rungs(**{"grace_epochs": 1, "reduction_factor": 3, "max_epochs": 9} | settings)


def report(phase2_epoch: int | None, value: float, **more: object) -> dict:
    clock = {} if phase2_epoch is None else {"phase2_epoch": phase2_epoch}
    return {"epoch": (phase2_epoch or 0) + 2, "val_macro_f1": value, **clock, **more}


def test_rungs_are_eta_times_apart():
    assert rungs().positions == (1, 3, 9)
    assert rungs(grace_epochs=2, max_epochs=10).positions == (2, 6)


@pytest.mark.parametrize("eta", [1.5, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("grace", [1, 2, 3])
@pytest.mark.parametrize("last", [3, 9, 10, 27, 100])
def test_the_rungs_are_rays_and_a_dry_run_names_the_epochs_at_which_they_stop(grace, eta, last):
    own = _Bracket(grace, max(last, grace), eta, 0, False)
    settings = Settings(grace_epochs=grace, reduction_factor=eta, finetune_epochs=last)
    positions = Rungs.of(settings).positions
    assert [*positions] == [position for position, _ in reversed(own._rungs)]
    reached = {math.ceil(position) for position in positions}  # the first whole epoch at or after
    assert stopping_epochs(settings) == sorted(epoch for epoch in reached if epoch < last)


def test_a_frozen_backbone_meets_no_rung():
    # A would be judged against nothing, B at .45 against A's .80, were the clock the epoch.
    judged = rungs()
    assert not judged.decide(0, report(None, 0.80)).stop
    assert judged.decide(1, report(None, 0.45)).rung is None


def test_the_first_trial_passes_and_a_worse_second_one_stops():
    judged = rungs()
    first, second = judged.decide(0, report(1, 0.8)), judged.decide(1, report(1, 0.5))
    assert (first.stop, first.rung) == (False, 1)
    assert (second.stop, second.rung) == (True, 1)


def test_about_one_in_eta_passes():
    judged = rungs()
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    for number, value in enumerate(values):
        judged.decide(number, report(1, value))
    # The 2/3 percentile of the six values is 0.433.
    assert judged.decide(6, report(1, 0.43)).stop
    assert not judged.decide(7, report(1, 0.45)).stop


def test_a_later_report_is_judged_at_its_own_rung_once():
    judged = rungs()
    judged.decide(0, report(1, 0.5))
    assert judged.decide(0, report(2, 0.1)).rung is None
    assert judged.decide(0, report(3, 0.6)).rung == 3


def test_a_report_is_decided_once_however_often_it_comes():
    once, twice = (StoppingRule(rungs(), spared_share=0.4, seed=1) for _ in range(2))
    values = np.random.default_rng(0).random(60)
    for epoch in (1, 2, 3):
        for number, value in enumerate(values):
            told = report(epoch, value * epoch / 3)
            assert (
                once.stops(number, told) == twice.stops(number, told) == twice.stops(number, told)
            )
    assert (once.stopped, once.spared) == (twice.stopped, twice.spared)
    assert once.stopped
    assert once.spared


def test_the_last_report_never_stops_a_trial():
    # max_t == last epoch would end the trial before its last checkpoint (trap 9).
    judged = rungs()
    for epoch in (1, 3, 9):
        judged.decide(0, report(epoch, 0.9, finished=epoch == 9))
    judged.decide(1, report(1, 0.95))
    judged.decide(1, report(3, 0.95))
    assert not judged.decide(1, report(9, 0.1, finished=True)).stop


def test_a_diverged_or_missing_value_is_not_recorded():
    # NaN compares false with everything and would never be stopped (trap 4).
    judged = rungs()
    judged.decide(0, report(1, 0.02, diverged=True))
    judged.decide(1, {"epoch": 3, "phase2_epoch": 1})
    first = judged.decide(2, report(1, 0.01))
    assert (first.stop, first.rung) == (False, 1)


def trial(number: int) -> SimpleNamespace:
    return SimpleNamespace(trial_id=f"a new id {number}", config={"number": number})


def test_decisions_survive_a_restart():
    # Ray itself keeps no rungs across a restart (trap 6).
    told = [(0, report(1, 0.8)), (1, report(1, 0.5)), (0, report(2, 0.85))]
    rule = StoppingRule(rungs())
    restarted = PhaseAlignedASHA(rule, earlier_reports=told)
    assert rule.stopped == {1: 1}
    assert restarted.on_trial_result(None, trial(1), report(1, 0.5)) == TrialScheduler.STOP
    assert restarted.on_trial_result(None, trial(2), report(1, 0.6)) == TrialScheduler.STOP
    assert restarted.on_trial_result(None, trial(3), report(1, 0.9)) == TrialScheduler.CONTINUE


def curves(num_trials: int = 60) -> list[tuple[int, dict]]:
    """Trials one after the other, each with an epoch at every rung."""
    values = np.random.default_rng(0).random((num_trials, 3))
    return [
        (number, report(epoch, float(value)))
        for number, row in enumerate(values)
        for epoch, value in zip((1, 3, 9), row, strict=True)
    ]


def test_a_share_of_the_condemned_is_spared_and_changes_nothing_for_the_others():
    plain, sparing = StoppingRule(rungs()), StoppingRule(rungs(), spared_share=0.4, seed=1)
    for number, told in curves():
        assert sparing.stops(number, told) <= plain.stops(number, told)
    condemned = sparing.stopped | sparing.spared
    assert condemned == plain.stopped  # the same trials, at the same rungs
    assert 0.25 < len(sparing.spared) / len(condemned) < 0.55


@pytest.mark.parametrize(("share", "expected"), [(0.0, set()), (1.0, {1})])
def test_none_or_all_are_spared(share, expected):
    rule = StoppingRule(rungs(), spared_share=share)
    rule.stops(0, report(1, 0.8))
    assert rule.stops(1, report(1, 0.5)) == (share == 0.0)
    assert set(rule.spared) == expected


def test_who_is_spared_is_the_same_after_a_restart():
    first, again = (StoppingRule(rungs(), spared_share=0.4, seed=3) for _ in range(2))
    PhaseAlignedASHA(first, earlier_reports=curves())
    PhaseAlignedASHA(again, earlier_reports=curves())
    assert first.spared == again.spared != {}


@pytest.mark.parametrize("iteration", [1, 7])
def test_tunes_own_iteration_count_plays_no_part(iteration: int):
    # `training_iteration` starts again at 1 when a trial is restored (trap 7).
    judged = rungs()
    judged.decide(0, report(1, 0.9, training_iteration=iteration))
    assert judged.decide(1, report(1, 0.1, training_iteration=1)).stop
