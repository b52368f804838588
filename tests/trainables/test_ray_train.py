"""The relay between a Ray Train run and Tune, without Ray."""

import queue
import time

import pytest
from ray.util.queue import Empty

from trainables import ray_train


class OneSlot:
    """A queue with room for one report, as the driver's own."""

    def __init__(self) -> None:
        self._queue: queue.Queue = queue.Queue(maxsize=1)

    def put(self, item):
        self._queue.put(item)

    def get(self, timeout):
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            raise Empty from None


class Run:
    """A trainer whose run makes three reports and returns, or raises."""

    def __init__(self, reports: OneSlot, error: Exception | None = None) -> None:
        self.reports, self.error = reports, error

    def fit(self):
        for epoch in (1, 2, 3):
            self.reports.put({"epoch": epoch})
        if self.error:
            raise self.error


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """What Tune was told, by a driver that is slower than the run (trap 2)."""
    heard: list[dict] = []

    def report(metrics):
        time.sleep(0.05)
        heard.append(metrics)

    monkeypatch.setattr(ray_train.tune, "report", report)
    monkeypatch.setattr(ray_train, "POLL_SECONDS", 0.02)
    return heard


def test_no_report_is_lost_however_slow_tune_is(told):
    reports = OneSlot()
    ray_train.relay(Run(reports), reports)
    assert told == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


def test_a_run_that_fails_fails_the_trial_after_its_last_report(told):
    reports = OneSlot()
    with pytest.raises(RuntimeError, match="no memory"):
        ray_train.relay(Run(reports, RuntimeError("no memory")), reports)
    assert [metrics["epoch"] for metrics in told] == [1, 2, 3]


def test_what_is_relayed_is_rank_zeros_report():
    reports = OneSlot()
    ray_train.PutReports(reports).after_report(None, [{"epoch": 2}, {"epoch": 99}], None)
    assert reports.get(timeout=1) == {"epoch": 2}


def test_trial_folders_sort_by_number():
    assert ray_train.trial_folder(7) == "trial_0007"
