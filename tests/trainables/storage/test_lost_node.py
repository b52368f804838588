"""A worker's own job, really trained, whose checkpoints are in a store and whose node is lost."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainables.test_two_phase import CPU, MEASURED, TINY
from trainables.training.parallel import SOLO
from trainables.training.pictures import TrialData
from trainables.training.reuse import NO_REUSE
from trainables.workers import slot_worker


class LostNodeError(BaseException):
    """Nothing on the node goes on, nor cleans up what counts."""


class Driver:
    """Hears of epochs; `lost_after` answers that many, and then the node is gone."""

    def __init__(self, lost_after: int = 100) -> None:
        self.told: list[dict[str, Any]] = []
        self._lost_after = lost_after

    def answer(self, report: dict[str, Any], if_dead: int) -> int:
        if len(self.told) == self._lost_after:
            raise LostNodeError
        self.told.append({k: v for k, v in report.items() if k not in MEASURED})
        return True


class Exchange:
    """Stands for the actor: what is told comes back to `ask`."""

    class tell:
        @staticmethod
        def remote(number: int, report: dict[str, Any]) -> dict[str, Any]:
            return report


@pytest.fixture
def work(monkeypatch, coloured_squares):
    """A worker that trains the trial of a folder and tells a driver."""
    data = TrialData(train=coloured_squares(48), val=coloured_squares(24, seed=1), data_seed=0)
    monkeypatch.setattr(slot_worker, "_device", lambda: CPU)
    monkeypatch.setattr(slot_worker.ray, "get", lambda reference: reference)

    def worked(folder: str, driver: Driver) -> list[dict[str, Any]]:
        monkeypatch.setattr(slot_worker, "ask", driver.answer)
        job = {
            "config": TINY.to_dict(),
            "data": data,
            "folder": folder,
            "reuse": NO_REUSE,
            "weights": "",
        }
        slot_worker.train_job(job, 1, Exchange, SOLO)
        return driver.told

    return worked


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_lost_node_costs_at_most_the_epoch_that_it_was_in(work, uri: str, tmp_path: Path):
    whole = work(str(tmp_path), Driver())
    assert [report["epoch"] for report in whole] == [1, 2, 3, 4]
    for epoch in (1, 3):  # each time a node that starts with nothing
        lost = Driver(lost_after=epoch)
        with pytest.raises(LostNodeError):
            work(uri, lost)
        assert lost.told == whole[:epoch]
    assert work(uri, Driver()) == whole
