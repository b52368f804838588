"""What `--around RUN` trains: every arm with every one of a few fresh seeds.

A seed draws the split into training and validation pictures, the epoch views, the head's first
weights and the batch order, the same for every arm (as in `search.confirm.grid`), so that arms are
compared within a seed. The winner was chosen with the run's own seed, which would flatter it as the
baseline; so that seed is not used. Every arm is trained to its last epoch and judged there: nothing
is chosen on the pictures that judge.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from search.aim import choose_aim
from search.confirm.grid import fresh_seeds
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from trainables.config import FineTuneConfig, pair_text
from trainables.errors import UserError, refuse


@dataclass(frozen=True, kw_only=True)
class Design:
    """The grid; its trial `row + column * num_arms` is arm `row`, seed `column`.

    Attributes:
        around: folder of the run whose winner is the baseline.
        pair, placebo: class names.
        source: who named the pair.
        arms: configuration by the arm's name, the baseline first.
        seeds: fresh ones.
    """

    around: str
    pair: tuple[str, str]
    placebo: tuple[str, str]
    source: str
    arms: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]

    @property
    def num_runs(self) -> int:
        return len(self.arms) * len(self.seeds)

    def cell(self, number: int) -> tuple[str, int]:
        """The arm and the seed of a trial."""
        column, row = divmod(number, len(self.arms))
        return [*self.arms][row], self.seeds[column]

    def items(self) -> Iterator[dict[str, Any]]:
        """What is trained, one seed after the other, as `FineTuneTrial` takes it."""
        for number in range(self.num_runs):
            arm, seed = self.cell(number)
            config = self.arms[arm] | {"seed": seed}
            yield {"number": number, "config": config, "params": {"arm": arm}}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, experiment: dict[str, Any]) -> "Design | None":
        """The design on record of a run; None of a run that has none."""
        values = experiment.get("interventions")
        return cls.from_dict(values) if values else None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Design":
        """The inverse of `to_dict`, from JSON too."""
        tuples = {name: tuple(values[name]) for name in ("pair", "placebo", "seeds")}
        return cls(**{**values, **tuples})


def design_around(settings: Settings, base: FineTuneConfig) -> Design | None:
    """The arms around a winner, at this run's resolution, epochs and weights.

    None without --around.

    Raises:
        UserError: there is no winner, nothing to aim at, or --arms names no arm.
    """
    if not settings.around:
        return None
    from spaces.interventions import BASELINE, PLACEBO, RUN_SETTINGS, aimed_arms

    run = RunFolder.at(settings.around)
    aim = choose_aim(run, settings.aim, seed=settings.seed)
    winner = FineTuneConfig.from_dict(run.read_best()["config"])
    if winner.pair:
        raise UserError(
            f"the winner of {run.root} aims at {winner.pair} already; allowed: the winner of a "
            "search over other settings"
        )
    kept = {name: getattr(base, name) for name in (*RUN_SETTINGS, "backbone", "weights")}
    control = replace(winner, **kept, early_stopping_epochs=0)
    arms = aimed_arms(control, pair_text(*aim.pair), pair_text(*aim.placebo))
    wanted = [name.strip() for name in settings.arms.split(",") if name.strip()]
    cures = [name for name in arms if name not in (BASELINE, PLACEBO)]
    refuse(
        f"--arms names {name!r}; allowed: {', '.join(cures)}, with commas between them"
        for name in wanted
        if name not in cures
    )
    shown = {BASELINE, *(wanted or cures), PLACEBO}
    return Design(
        around=settings.around,
        pair=aim.pair,
        placebo=aim.placebo,
        source=aim.source,
        arms={name: arm.to_dict() for name, arm in arms.items() if name in shown},
        seeds=fresh_seeds(RunRecord.read(run.journal), settings.seed, settings.seeds),
    )
