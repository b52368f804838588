"""`--warm-start`: what another run, or the decks, can give a new one."""

from dataclasses import dataclass
from typing import Any

from search.records.folder import RunFolder
from search.records.record import OBJECTIVE, RunRecord, TrialRecord
from spaces.dimensions import parameters
from spaces.registry import Space
from spaces.warm_start import PriorResult, deck_points, exact_point, holds
from trainables.config import FineTuneConfig
from trainables.models.run_weights import recorded_id, same_content

DECKS = "decks"
ASKED_FIRST = 5  # configurations of a run on other data that are worth a trial


@dataclass(frozen=True, kw_only=True)
class WarmStart:
    """Results that hold here as they are, and points to ask first."""

    points: list[PriorResult]
    first: list[dict[str, Any]]
    note: str  # for people, one line


def warm_start(
    source: str, space: Space, base: FineTuneConfig, fingerprint: str, *, weights_id: str
) -> WarmStart:
    """Take over from `source`: "decks", or the folder of another run.

    A result holds here when it is of the same pictures and weights, and of a configuration that the
    space can draw, every setting equal; then its trial is not run again. A run on others, or with
    other fixed settings, gives its best configurations instead, to be asked first.

    Args:
        source: "decks" or a run folder's path.
        space: of the new run.
        base: the new run's own settings.
        fingerprint: of the new run's pictures.
        weights_id: of the new run's weights: a later release may embed others.

    Raises:
        UserError: `source` is no run folder.
    """
    if source == DECKS:
        first = deck_points(space, base)
        return WarmStart(points=[], first=first, note=f"{len(first)} of the decks are asked first")
    folder = RunFolder.at(source)
    experiment = folder.read_experiment()
    trials = [trial for trial in RunRecord.read(folder.journal).trials.values() if trial.reports]
    has_these = experiment["data_fingerprint"] == fingerprint
    if has_these and same_content(recorded_id(folder.root) or weights_id, weights_id):
        points = [point for trial in trials for point in _prior_results(trial, space, base)]
        if points:
            note = f"{len(points)} of {len(trials)} results of {source} hold here"
            return WarmStart(points=points, first=[], note=note)
    first = _best_points(trials, space, base)
    note = f"the {len(first)} best configurations of {source} that lie in the space are asked first"
    return WarmStart(points=[], first=first, note=note)


def _prior_results(trial: TrialRecord, space: Space, base: FineTuneConfig) -> list[PriorResult]:
    config = FineTuneConfig.from_dict(trial.config)
    point = exact_point(space, base, config)
    if point is None or trial.status not in ("finished", "stopped"):
        return []
    assert trial.best is not None
    is_whole = trial.status == "finished"
    return [
        PriorResult(
            config=config.to_dict(),
            params=point,
            state="COMPLETE" if is_whole else "PRUNED",
            value=trial.best[OBJECTIVE] if is_whole else None,
            values={report["epoch"]: report[OBJECTIVE] for report in trial.reports},
        )
    ]


def _best_points(
    trials: list[TrialRecord], space: Space, base: FineTuneConfig
) -> list[dict[str, Any]]:
    ranked = sorted(trials, key=lambda trial: -trial.best[OBJECTIVE])  # type: ignore[index]
    points = [parameters(FineTuneConfig.from_dict(trial.config)) for trial in ranked]
    distinct = [point for i, point in enumerate(points) if point not in points[:i]]
    return [point for point in distinct if holds(space, base, point)][:ASKED_FIRST]
