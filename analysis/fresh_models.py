"""What models of one configuration, each trained with a fresh seed, say of the sealed test.

`search.confirm` keeps the checkpoint of each training of the configuration that it takes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.run.predict import NotTestable, load_for, predict
from analysis.run.reader import Run
from analysis.statistics.metrics import IntArray
from trainables.data.images import ImageSet
from trainables.errors import UserError

FEWEST = 2  # models that can be compared


@dataclass(frozen=True, kw_only=True, eq=False)
class FreshAnswers:
    """The answers, or why there are too few to compare.

    Attributes:
        trial: of the search, whose configuration was trained again; None where there is none.
        seeds: of the models that answered, S of them.
        predictions: classes of the test's pictures, S arrays of shape (N,).
        reason: why nothing is compared, in a clause; None where two or more answered.
    """

    trial: int | None = None
    seeds: tuple[int, ...] = ()
    predictions: tuple[IntArray, ...] = field(default=())
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"trial": self.trial, "seeds": list(self.seeds), "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class FreshCheckpoints:
    """Checkpoints to ask, and why they are too few (None where they are not)."""

    trial: int | None
    folders: dict[int, Path]  # by seed
    reason: str | None


def fresh_checkpoints(run: Run) -> FreshCheckpoints:
    """The readable checkpoints that the run's confirmation has kept.

    Raises:
        UserError: one is damaged, or of other classes.
    """
    if run.confirmation is None:
        return _none(f"the run was not confirmed; `python -m search.confirm {run.path}` does it")
    trial = run.confirmation["winner"]
    if trial is None:
        return _none("no configuration came through all fresh seeds")
    named = run.confirmation.get("checkpoints", [])
    if not named:
        return _none("the confirmation is of a release that kept no checkpoints")
    folders = {entry["seed"]: run.path / entry["path"] for entry in named}
    outside = [path for path in folders.values() if not _is_inside(path, run.path)]
    if outside:
        raise UserError(
            f"a checkpoint in confirm.json is {str(outside[0])!r}; allowed: a path inside the run "
            "folder; restore the file that search.confirm wrote"
        )
    there = {seed: path for seed, path in folders.items() if path.is_dir()}
    for path in there.values():
        load_for(path, run.class_names)
    few = f"of the {len(folders)} checkpoints that the confirmation kept {len(there)} are there"
    return FreshCheckpoints(trial=trial, folders=there, reason=few if len(there) < FEWEST else None)


def ask_fresh(
    found: FreshCheckpoints, run: Run, test: ImageSet, *, device: str, batch_size: int
) -> FreshAnswers:
    """Their predictions on the untouched pictures; one model in memory at a time."""
    if found.reason:
        return FreshAnswers(trial=found.trial, reason=found.reason)
    predictions = []
    for seed, path in found.folders.items():
        print(f"fresh seed   {seed}", flush=True)
        model = load_for(path, run.class_names)
        try:
            logits = predict(model, test, device=device, batch_size=batch_size)
        except NotTestable as fault:
            return FreshAnswers(trial=found.trial, reason=f"with seed {seed} {fault.reason}")
        predictions.append(logits.argmax(axis=1))
    return FreshAnswers(
        trial=found.trial, seeds=tuple(found.folders), predictions=tuple(predictions)
    )


def _none(reason: str) -> FreshCheckpoints:
    return FreshCheckpoints(trial=None, folders={}, reason=reason)


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
