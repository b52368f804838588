"""Where a trial's driver and the workers that train it meet: a job one way, its reports the other.

An asynchronous actor. A driver assigns one job at a time. Workers take it, and after each epoch
they wait until the driver has asked for the next one: by then Tune has decided that the trial goes
on, so no epoch is trained in vain and none is ahead of the record. Workers that nobody has use for
give up their place: where nodes have left, another trial may be waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypedDict

from trainables.training.reuse import Reuse
from trainables.workers.failures import Failure

# That workers wait for the driver, first with a report and then for a job, before they end. Longer
# than Tune takes to start the next trial; a driver that comes later all the same starts new ones.
IDLE_SECONDS = 60.0


class Job(TypedDict):
    """One trial to train."""

    config: dict[str, Any]  # of a FineTuneConfig
    data: Any  # a reference to the TrialData
    folder: str  # for its checkpoints: a path that every node can write, or a URI in a store
    reuse: Reuse  # with other trials on its node
    weights: str  # a file in place of those that the configuration names, path or URI; "": none


class Exchange:
    """State of one slot. All methods are called from other processes.

    Args:
        max_failures: how often the workers may die of one job before it ends with a failure.
        idle_seconds: that a worker waits for the driver.
    """

    def __init__(self, max_failures: int, idle_seconds: float = IDLE_SECONDS) -> None:
        self._max_failures, self._idle_seconds = max_failures, idle_seconds
        self._changed = asyncio.Condition()
        self._jobs: list[Job] = []  # all so far; a job's number is its place, from 1
        self._current = 0  # the job that is being trained; 0: none
        self._failures = 0  # of the current job's workers
        self._report: dict[str, Any] | None = None
        self._is_read = False
        self._is_closed = False

    async def assign(self, job: Job) -> None:
        """Driver: the next job; workers that still train another one drop it."""
        self._jobs.append(job)
        await self._make_current(len(self._jobs))

    async def close(self) -> None:
        """Driver: there are no more jobs."""
        self._is_closed = True
        await self._make_current(0)

    async def next_report(self, seconds: float) -> dict[str, Any] | None:
        """Driver: let the workers go on, and wait for their next report; None when there is none
        for so long. A report that was not asked for again is not answered."""
        async with self._changed:
            if self._is_read:
                self._report, self._is_read = None, False
                self._changed.notify_all()
            if not await self._within(seconds, lambda: self._report is not None):
                return None
            self._is_read = True
            return self._report

    async def take(self, after: int) -> int:
        """Worker: the number of the next job that is not yet over, once there is one; 0 at the
        end, or when none comes."""
        async with self._changed:
            came = await self._within(
                self._idle_seconds, lambda: self._is_closed or self._current > after
            )
            return self._current if came else 0

    async def job(self, number: int) -> Job:
        """Worker: a job by its number."""
        return self._jobs[number - 1]

    async def tell(self, number: int, report: dict[str, Any]) -> bool:
        """Worker: report on a job; returns whether to go on with it, once that is known. Not when
        nobody asks."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._report is None or self._current != number)
            if self._current == number:
                self._report = report
                self._changed.notify_all()
                asked = await self._within(
                    self._idle_seconds,
                    lambda: self._report is not report or self._current != number,
                )
                return asked and self._current == number
            return False

    async def workers_failed(self, failure: Failure) -> None:
        """Controller: workers died; once too often, and the job ends with why."""
        self._failures += 1
        if self._current and self._failures > self._max_failures:
            await self.tell(self._current, {"failure": failure})

    async def _within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        """Wait for a condition; whether it came true."""
        try:
            await asyncio.wait_for(self._changed.wait_for(condition), seconds)
        except TimeoutError:
            return False
        return True

    async def _make_current(self, number: int) -> None:
        async with self._changed:
            self._current, self._failures = number, 0
            self._report, self._is_read = None, False
            self._changed.notify_all()
