"""Ctrl-C: the first lets the epochs under way end, the second ends at once; SIGTERM likewise.

What is on record is a whole number of epochs either way: the journal and the checkpoints are
written an epoch at a time, and `--resume` goes on from there. The first only loses less.
"""

import signal
from types import FrameType, TracebackType
from typing import Any

from search.tuning.recorder import Recorder
from search.tuning.stopping import SessionStopper
from trainables.command import Stopped

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Interrupt:
    """While it is entered, signals end Tune's run through `stopper`.

    Args:
        stopper: ended once every trial that was under way has reported an epoch, or has ended.
        recorder: knows which trials are under way.
        go_on: how to go on later, for the line that says so.
    """

    def __init__(self, stopper: SessionStopper, recorder: Recorder, *, go_on: str) -> None:
        self._stopper, self._recorder, self._go_on = stopper, recorder, go_on
        self._signum: int | None = None
        self._reported: dict[int, int] | None = None  # trial -> epochs on record at the signal
        self._before: dict[int, Any] = {}  # the handlers that were there
        stopper.add_check(self._look)

    def __enter__(self) -> "Interrupt":
        self._before = {signum: signal.signal(signum, self._take) for signum in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _take(self, signum: int, frame: FrameType | None) -> None:
        if self._signum is not None:
            raise Stopped(f"at once; {self._go_on}", signum=signum)
        self._signum = signum  # printing is left to `_look`: a handler may interrupt a print

    def _look(self) -> None:
        """End the run when the epochs that were under way are on record."""
        if self._signum is None:
            return
        trials, under_way = self._recorder.record.trials, self._recorder.under_way
        if self._reported is None:
            self._reported = {number: len(trials[number].reports) for number in under_way}
            print(
                f"stopping     when {len(under_way)} epochs under way are done; "
                f"{SIGNALS[signal.Signals(self._signum)]} again stops at once",
                flush=True,
            )
        if any(
            number in under_way and len(trials[number].reports) == count
            for number, count in self._reported.items()
        ):
            return
        name = SIGNALS[signal.Signals(self._signum)]
        self._stopper.stop(f"by {name}, after whole epochs; {self._go_on}", signum=self._signum)
