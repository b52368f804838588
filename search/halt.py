"""The end of a session before its last trial: the time is up, the disk is full.

A halted trial is neither pruned nor finished. It stays "running" in the record, and `--resume`
goes on with it from its last epoch.
"""

from collections.abc import Callable
from typing import Any

from ray.tune import Stopper


class Halt(Stopper):
    """Ends Tune's run once there is a reason.

    Args:
        watch: asked about ten times a second; returns a reason to halt, or None.
    """

    def __init__(self, watch: Callable[[], str | None] = lambda: None) -> None:
        self._watch = watch
        self.reason: str | None = None
        self.is_fault = False

    def stop(self, reason: str, *, is_fault: bool = False) -> None:
        """Halt; the first reason stands."""
        if self.reason is None:
            self.reason, self.is_fault = reason, is_fault

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        found = self._watch()
        if found:
            self.stop(found)
        return self.reason is not None
