"""The end of a session before its last trial: the time is up, the disk is full, Ctrl-C.

A halted trial is neither pruned nor finished. It stays "running" in the record, and `--resume`
goes on with it from its last epoch.
"""

from collections.abc import Callable
from typing import Any

from ray.tune import Stopper

from trainables.command import Stopped


class Halt(Stopper):
    """Ends Tune's run once there is a reason.

    Args:
        watch: asked about ten times a second; returns a reason to halt, or None.

    Attributes:
        reason: why it is halted; None while it is not.
        is_fault: whether the reason is something that went wrong.
    """

    def __init__(self, watch: Callable[[], str | None] = lambda: None) -> None:
        self._watch = watch
        self._lookouts: list[Callable[[], None]] = []
        self.reason: str | None = None
        self.is_fault = False
        self._signum: int | None = None

    def watch(self, look: Callable[[], None]) -> None:
        """Call `look` as often as the reason is asked for; it may `stop`."""
        self._lookouts.append(look)

    def stop(self, reason: str, *, is_fault: bool = False, signum: int | None = None) -> None:
        """Halt, because of a signal where one is given; the first reason stands."""
        if self.reason is None:
            self.reason, self.is_fault, self._signum = reason, is_fault, signum

    def raise_if_stopped_by_the_user(self) -> None:
        """To be called when all is written down; raises Stopped where a signal was the reason."""
        if self.reason is not None and self._signum is not None:
            raise Stopped(self.reason, signum=self._signum)

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        for look in self._lookouts:
            look()
        found = self._watch()
        if found:
            self.stop(found)
        return self.reason is not None
