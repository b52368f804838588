"""The study, or a fixed list of trials, as Ray Tune wants its searchers.

Tune only asks for configurations here. The recorder passes results to the study, once they are in
the journal.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from search.records.record import OBJECTIVE
from search.tuning.study import JournaledStudy


class _ProposalSource(Searcher):
    """What Tune asks for configurations; nothing of it is kept in Tune's own snapshots."""

    def __init__(self) -> None:
        super().__init__(metric=OBJECTIVE, mode="max")

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: the recorder passes results to the study, and a fixed list needs none."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to pickle: a new session makes a new searcher from the run folder."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to unpickle."""


class StudySearcher(_ProposalSource):
    """Hands out what the study asks for."""

    def __init__(self, study: JournaledStudy) -> None:
        super().__init__()
        self._study = study

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """The next configuration; FINISHED when the sampler has nothing new."""
        asked = self._study.ask()
        if asked is None:
            return Searcher.FINISHED
        return {"number": asked.number, "config": asked.config.to_dict(), "params": asked.params}


class FixedListSearcher(_ProposalSource):
    """Hands out each item of a list once, in order.

    Args:
        items: dictionaries with "number", "config" and "params", as `FineTuneTrial` takes them.
    """

    def __init__(self, items: Iterable[dict[str, Any]]) -> None:
        super().__init__()
        self._items = list(items)

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        return self._items.pop(0) if self._items else Searcher.FINISHED
