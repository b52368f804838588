"""What is left of a search, against searches whose rest is known."""

import pytest

from search.monitoring.time_left import Pace, expected_epochs, survival
from search.records.record import RunRecord, TrialRecord

CONFIG = {"head_epochs": 1, "finetune_epochs": 3}


def trial(number: int, epochs: int, status: str = "running") -> TrialRecord:
    reports = [{"epoch": e, "phase": 1 if e == 1 else 2} for e in range(1, epochs + 1)]
    return TrialRecord(number=number, config=CONFIG, status=status, reports=reports)  # type: ignore[arg-type]


def test_survival_counts_those_that_still_run_among_those_that_went_on():
    trials = [trial(0, 4, "finished"), trial(1, 2, "stopped"), trial(2, 2), trial(3, 1)]
    # Past epoch 2 went the finished one and the running one; one of three ended there.
    assert survival(trials) == [1.0, pytest.approx(2 / 3), 1.0]


def test_the_last_epoch_is_no_early_end_and_a_trial_without_epochs_says_nothing():
    assert survival([trial(0, 4, "finished"), trial(1, 0, "failed")]) == [1.0, 1.0, 1.0]
    assert survival([]) == []


def test_expected_epochs_of_a_trial():
    assert expected_epochs([1.0, 0.5, 0.5], 0, 4) == [1.0, 1.0, 0.5, 0.25]
    assert expected_epochs([1.0, 0.5, 0.5], 3, 4) == [1.0]
    assert expected_epochs([], 0, 2) == [1.0, 1.0]  # nothing is known: nobody is stopped
    assert expected_epochs([1.0], 4, 4) == []


def paced(record: RunRecord, *, slots: int) -> Pace:
    """Epochs of 2 s in phase 1 and 10 s in phase 2, in slots that are never idle."""
    pace, reports = Pace(), [r for t in record.trials.values() for r in t.reports]
    trained = 0.0
    for report in reports:
        seconds = 2.0 if report["phase"] == 1 else 10.0
        trained += seconds
        # The first one began at 0.
        now = seconds if pace.num_epochs == 0 else trained / slots
        pace.take_in({**report, "epoch_seconds": seconds}, running=slots, now=now)
    return pace


def made(*trials: TrialRecord) -> RunRecord:
    record = RunRecord()
    record.trials = {t.number: t for t in trials}
    return record


def test_nothing_is_said_before_a_trial_has_ended_by_training():
    record = made(trial(0, 3), trial(1, 0, "failed"))
    assert paced(record, slots=1).left(record, 4, now=22.0) is None
    assert Pace().left(made(), 4, now=0.0) is None


def test_one_slot_without_stops():
    record = made(trial(0, 4, "finished"))
    left = paced(record, slots=1).left(record, 3, now=32.0)
    assert left is not None
    assert left.epochs == 8
    assert left.seconds == pytest.approx(64.0)  # two more trials of 2 + 3 x 10 s
    assert (left.seen_epochs, left.seen_ends) == (4, 1)


def test_slots_share_the_work_but_not_the_last_trial():
    record = made(trial(0, 4, "finished"), trial(1, 4, "finished"), trial(2, 1))
    pace = paced(record, slots=2)
    left = pace.left(record, 3, now=33.0)
    assert left is not None
    assert left.epochs == 3
    assert left.seconds == pytest.approx(30.0)  # the last trial's, whatever the other slot does


def test_idle_slots_lengthen_it():
    record = made(trial(0, 4, "finished"))
    pace = paced(record, slots=1)
    assert pace.left(record, 2, now=64.0).seconds == pytest.approx(64.0)  # type: ignore[union-attr]
