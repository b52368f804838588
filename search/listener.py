"""What hears of a search as it runs."""

from typing import Any

from search.records.record import RunRecord, TrialRecord


class Listener:
    """Hears of an event after it is in the journal; a subclass overrides what concerns it."""

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        """An epoch was reported."""

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        """A trial ended."""

    def on_note(self, record: RunRecord, text: str) -> None:
        """Something that a person should know, one line."""
