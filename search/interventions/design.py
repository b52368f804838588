"""What `--around RUN` trains: every arm with every one of a few fresh seeds.

A seed draws the split into training and validation pictures, the epoch views, the head's first
weights and the batch order, the same for every arm (as in `search.confirm.grid`), so that arms are
compared within a seed. The winner was chosen with the run's own seed, which would flatter it as the
baseline; so that seed is not used. Every arm is trained to its last epoch and judged there: nothing
is chosen on the pictures that judge.

`choose_pairs` says which pair of classes the arms aim at, and at which other pair the placebo does.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from search.records.folder import RunFolder
from search.records.record import RunRecord, fresh_seeds
from search.settings.settings import Settings
from search.tuning.seed_grid import SeedGrid
from trainables.config import FineTuneConfig, pair_faults, pair_text
from trainables.errors import UserError, refuse
from trainables.training.hard_mining import confused_pairs

Pair = tuple[str, str]
# Where a report tells of pairs of classes, the first that does; each a list of rows, or a section
# with one under "pairs".
REPORT_KEYS = ("root_causes", "pairs")


@dataclass(frozen=True, kw_only=True)
class InterventionDesign:
    """Every arm with every seed.

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
    def grid(self) -> SeedGrid[str]:
        """The arm and the seed of each trial."""
        return SeedGrid(tuple(self.arms), self.seeds)

    def items(self) -> Iterator[dict[str, Any]]:
        """What is trained, one seed after the other, as `FineTuneTrial` takes it."""
        for number, (arm, seed) in self.grid.cells().items():
            config = self.arms[arm] | {"seed": seed}
            yield {"number": number, "config": config, "params": {"arm": arm}}

    def with_precision(self, precision: str) -> "InterventionDesign":
        """The same arms, computed in `precision`, which is known only once PyTorch is imported."""
        arms = {name: config | {"precision": precision} for name, config in self.arms.items()}
        return replace(self, arms=arms)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, experiment: dict[str, Any]) -> "InterventionDesign | None":
        """The design on record of a run; None of a run that has none."""
        values = experiment.get("interventions")
        return cls.from_dict(values) if values else None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "InterventionDesign":
        """The inverse of `to_dict`, from JSON too."""
        tuples = {name: tuple(values[name]) for name in ("pair", "placebo", "seeds")}
        return cls(**{**values, **tuples})


def design_around(settings: Settings, base: FineTuneConfig) -> InterventionDesign | None:
    """The arms around a winner, at this run's resolution, epochs and weights.

    None without --around.

    Raises:
        UserError: there is no winner, nothing to aim at, or --arms names no arm.
    """
    if not settings.around:
        return None
    from spaces.interventions import BASELINE, PLACEBO, RUN_SETTINGS, aimed_arms

    run = RunFolder.at(settings.around)
    pairs = choose_pairs(run, settings.aim, seed=settings.seed)
    winner = FineTuneConfig.from_dict(run.read_best()["config"])
    if winner.pair:
        raise UserError(
            f"the winner of {run.root} aims at {winner.pair} already; allowed: the winner of a "
            "search over other settings"
        )
    kept = {name: getattr(base, name) for name in (*RUN_SETTINGS, "backbone", "weights")}
    control = replace(winner, **kept, early_stopping_epochs=0)
    arms = aimed_arms(control, pair_text(*pairs.pair), pair_text(*pairs.placebo))
    wanted = [name.strip() for name in settings.arms.split(",") if name.strip()]
    cures = [name for name in arms if name not in (BASELINE, PLACEBO)]
    refuse(
        f"--arms names {name!r}; allowed: {', '.join(cures)}, with commas between them"
        for name in wanted
        if name not in cures
    )
    shown = {BASELINE, *(wanted or cures), PLACEBO}
    return InterventionDesign(
        around=settings.around,
        pair=pairs.pair,
        placebo=pairs.placebo,
        source=pairs.source,
        arms={name: arm.to_dict() for name, arm in arms.items() if name in shown},
        seeds=fresh_seeds(RunRecord.read(run.journal), settings.seed, settings.seeds),
    )


@dataclass(frozen=True, kw_only=True)
class AimedPairs:
    """The pair to cure and the placebo's, each as two class names, and who says so."""

    pair: Pair
    placebo: Pair
    source: str


def choose_pairs(run: RunFolder, wanted: str, *, seed: int) -> AimedPairs:
    """The pair of `wanted`, else the first that RUN's report flags, else the most confused one.

    The placebo's is drawn from the unsuspected pairs: those that the report does not flag
    or, without a report, those whose rate on validation is the median or less. Pairs that share no
    class with the aimed one come first, since what is done to a class is done to its pairs.

    Args:
        run: a run with a winner.
        wanted: two class names with a comma between them, or "".
        seed: of the placebo's draw.

    Raises:
        UserError: a class is unknown, there is no winner, or nothing to aim at.
    """
    names = tuple(run.read_experiment()["class_names"])
    rates = validation_rates(run, names)
    key, flagged = flagged_by_report(run, names)
    if wanted:
        first, second = (name.strip() for name in wanted.split(","))
        refuse(f"--aim is {wanted!r}: {fault}" for fault in pair_faults((first, second), names))
        pair, source = _in_order((first, second), names), "--aim"
    elif flagged:
        pair, source = flagged[0], f"report.json of the run, {key}"
    else:
        pair = max(rates, key=lambda pair: rates[pair])
        source = f"validation: {rates[pair]:.1%} of the two classes are taken for each other"
        if not rates[pair]:
            raise UserError(
                f"the winner of {run.root} confuses no two classes on validation; allowed: a pair "
                "of your own with --aim, such as --aim cat,dog"
            )
    median = float(np.median([*rates.values()]))
    suspects = set(flagged) or {pair for pair, rate in rates.items() if rate > median}
    others = [other for other in rates if other != pair and other not in suspects]
    if not others:
        raise UserError(
            f"every pair of {', '.join(names)} but {pair_text(*pair)} is suspected, so there is "
            "none for the placebo; allowed: a run with an unsuspected pair of classes"
        )
    apart = [other for other in others if not set(other) & set(pair)] or others
    placebo = apart[int(np.random.default_rng([11, seed]).integers(len(apart)))]
    return AimedPairs(pair=pair, placebo=placebo, source=source)


def validation_rates(run: RunFolder, names: tuple[str, ...]) -> dict[Pair, float]:
    """How often the winner takes the classes of each pair for each other on validation.

    The mean of both directions' shares, of every pair in the order of the classes.
    """
    best = run.read_best()
    trial = RunRecord.read(run.journal).trials.get(best["trial"])
    reports = trial.reports if trial else []
    report = next((r for r in reports if r["epoch"] == best["epoch"]), {})
    if "val_confusion" not in report:
        raise UserError(
            f"{run.journal} has no validation confusion of trial {best['trial']}, epoch "
            f"{best['epoch']}; allowed: a run folder as the search wrote it"
        )
    confusion = np.array(report["val_confusion"], dtype=np.int64)
    found = {(p.first, p.second): p.rate for p in confused_pairs(confusion, len(names) ** 2)}
    return {
        (names[i], names[j]): found.get((i, j), 0.0) for i, j in combinations(range(len(names)), 2)
    }


def flagged_by_report(run: RunFolder, names: tuple[str, ...]) -> tuple[str, list[Pair]]:
    """The pairs that RUN's report flags, most urgent first, and the key that tells of them."""
    path = run.root / "report" / "report.json"
    if not path.exists():
        return "", []
    try:
        report = json.loads(path.read_text())
        key = next((key for key in REPORT_KEYS if key in report), "")
        section = report.get(key, [])
        rows: list[dict[str, Any]] = section["pairs"] if isinstance(section, dict) else section
        flagged = [(row["first"], row["second"]) for row in rows if row.get("flagged", True)]
        faults = [fault for pair in flagged for fault in pair_faults(pair, names)]
        if faults:
            raise ValueError(faults[0])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); allowed: the file that analysis.report wrote; make "
            "it again, or name a pair with --aim and put the file elsewhere"
        ) from error
    return key, [_in_order(pair, names) for pair in flagged]


def _in_order(pair: Pair, names: tuple[str, ...]) -> Pair:
    first, second = sorted(pair, key=names.index)
    return first, second
