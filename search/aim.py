"""Which pair of classes `--around RUN` aims at, and at which other pair its placebo does."""

import json
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from search.records.folder import RunFolder
from search.records.record import RunRecord
from trainables.config import pair_faults, pair_text
from trainables.errors import UserError, refuse
from trainables.training.batches import confused_pairs

Pair = tuple[str, str]
# Where a report tells of pairs of classes, the first that does; each a list of rows, or a section
# with one under "pairs".
REPORT_KEYS = ("root_causes", "pairs")


@dataclass(frozen=True, kw_only=True)
class Aim:
    """The pair to cure and the placebo's, each as two class names, and who says so."""

    pair: Pair
    placebo: Pair
    source: str


def choose_aim(run: RunFolder, wanted: str, *, seed: int) -> Aim:
    """The pair of `wanted`, else the first that RUN's report flags, else the most confused one.

    The placebo's is drawn from the pairs that nobody suspects: those that the report does not flag
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
    return Aim(pair=pair, placebo=placebo, source=source)


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
