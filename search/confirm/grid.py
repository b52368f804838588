"""What a confirmation trains: the best configurations of a run, each again with fresh seeds.

The candidates are the k trials of the best validation macro-F1 among those that finished: what ASHA
stopped was never trained to its end. Two trials that differ in nothing but the seed are one
configuration.

A fresh seed is one that the run did not use. It draws the split into training and validation
pictures, the epoch views, the head's first weights and the batch order, the same for every
configuration; so for one seed the configurations differ in nothing else, and differences between
them are paired. The test split does not depend on these seeds and is not read.

A configuration is worth its validation macro-F1 at the epoch that the search chose for it, and is
trained no further: the choice was made before, so nothing is selected on fresh pictures. For the
same reason early stopping, which looks at them, is off.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.records.record import OBJECTIVE, RunRecord, TrialRecord, fresh_seeds
from search.tuning.seed_grid import SeedGrid
from trainables.errors import UserError, refuse
from trainables.storage.files import write_json

FORMAT_VERSION = 1
PLAN = "plan.json"
DEFAULT_TOP, DEFAULT_SEEDS = 3, 3
# Two seeds are the fewest that have a scatter.
BOUNDS = {"top": (1, 100), "seeds": (2, 100)}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A configuration to confirm, and what the search made of it."""

    trial: int
    config: dict[str, Any]
    epoch: int  # that the search chose
    val_macro_f1: float  # at that epoch

    @classmethod
    def of(cls, trial: TrialRecord) -> "Candidate":
        assert trial.best is not None
        return cls(
            trial=trial.number,
            config=trial.config,
            epoch=trial.best["epoch"],
            val_macro_f1=trial.best[OBJECTIVE],
        )


@dataclass(frozen=True, kw_only=True)
class ConfirmationPlan:
    """Every candidate with every seed.

    Attributes:
        top: candidates asked for; there are fewer where the run has no more.
        candidates: best of the search first.
        seeds: fresh ones.
    """

    top: int
    candidates: tuple[Candidate, ...]
    seeds: tuple[int, ...]

    @property
    def grid(self) -> SeedGrid[Candidate]:
        """The candidate and the seed of each trial of the confirmation."""
        return SeedGrid(self.candidates, self.seeds)

    def items(self) -> Iterator[dict[str, Any]]:
        """What is trained, one seed after the other, as `FineTuneTrial` takes it."""
        for number, (candidate, seed) in self.grid.cells().items():
            changes = {"seed": seed, "last_epoch": candidate.epoch, "early_stopping_epochs": 0}
            yield {"number": number, "config": candidate.config | changes, "params": {}}

    def to_dict(self) -> dict[str, Any]:
        return {"format_version": FORMAT_VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ConfirmationPlan":
        return cls(
            top=values["top"],
            candidates=tuple(Candidate(**candidate) for candidate in values["candidates"]),
            seeds=tuple(values["seeds"]),
        )


def choose_candidates(record: RunRecord, top: int) -> tuple[Candidate, ...]:
    """The best finished trials with configurations of their own, at most `top`, best first.

    Raises:
        UserError: no trial has finished.
    """
    finished = [trial for trial in record.trials.values() if trial.status == "finished"]
    finished.sort(key=lambda trial: (-trial.best[OBJECTIVE], trial.number))  # type: ignore[index]
    distinct: dict[str, TrialRecord] = {}
    for trial in finished:
        distinct.setdefault(json.dumps(trial.config | {"seed": None}, sort_keys=True), trial)
    if not distinct:
        raise UserError(
            f"none of the run's {len(record.trials)} trials has finished; allowed: one or more to "
            "train again; let the search run on with --resume"
        )
    return tuple(Candidate.of(trial) for trial in [*distinct.values()][:top])


def settle_plan(
    folder: Path, record: RunRecord, run_seed: int, *, top: int | None, seeds: int | None
) -> ConfirmationPlan:
    """The plan of a confirmation that was begun, or a new one, written down before it is followed.

    Args:
        folder: of the confirmation, RUN/confirm.
        record: of the search.
        run_seed: of the search.
        top: candidates, within BOUNDS; None: as begun, or 3.
        seeds: how many, within BOUNDS; None: as begun, or 3.

    Raises:
        UserError: the numbers are others than the begun confirmation's, or no trial has finished.
    """
    if (folder / PLAN).exists():
        plan, asked = read_plan(folder), {"top": top, "seeds": seeds}
        begun = {"top": plan.top, "seeds": len(plan.seeds)}
        refuse(
            f"--{name} is {asked[name]}, but {folder} was begun with --{name} {has}; allowed: the "
            f"same, or none, to go on with it; delete confirm/ and confirm.json in the run folder "
            "to start over"
            for name, has in begun.items()
            if asked[name] not in (None, has)
        )
        return plan
    plan = ConfirmationPlan(
        top=top or DEFAULT_TOP,
        candidates=choose_candidates(record, top or DEFAULT_TOP),
        seeds=fresh_seeds(record, run_seed, seeds or DEFAULT_SEEDS),
    )
    folder.mkdir(exist_ok=True)
    write_json(folder / PLAN, plan.to_dict())
    return plan


def read_plan(folder: Path) -> ConfirmationPlan:
    """The plan of a confirmation that was begun."""
    path = folder / PLAN
    try:
        values = json.loads(path.read_text())
        if values["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format_version {values['format_version']!r}")
        return ConfirmationPlan.from_dict(values)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); allowed: the file that search.confirm wrote, with "
            f"format_version {FORMAT_VERSION}; delete {folder} to start over"
        ) from error
