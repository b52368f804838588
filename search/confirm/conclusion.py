"""What a confirmation found: the matrix of figures, the comparisons, the winner, the optimism."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from search.confirm import optimism, statistics
from search.confirm.grid import FORMAT_VERSION, Candidate, Plan
from search.records.record import OBJECTIVE, RunRecord, TrialRecord


def conclude(plan: Plan, confirmed: RunRecord, searched: RunRecord, *, seed: int) -> dict[str, Any]:
    """The contents of confirm.json.

    Args:
        plan: what was to be trained.
        confirmed: record of the confirmation, all its trials ended.
        searched: record of the search.
        seed: of the bootstrap and of the simulated searches.
    """
    rows = [_configuration(plan, row, confirmed) for row in range(len(plan.candidates))]
    whole = [row for row in rows if row["out"] is None]
    rng = np.random.default_rng(seed)
    figures = np.array([row["figures"] for row in whole])
    trials = [row["trial"] for row in whole]
    comparisons: list[dict[str, Any]] = []
    tied: list[int] = []
    winner = None
    if whole:
        best, found = statistics.compare_with_best(figures, rng=rng)
        comparisons = [
            {"best": trials[best], **comparison.to_dict(), "other": trials[comparison.other]}
            for comparison in found
        ]
        tie = statistics.tie_set(best, found)
        tied = [trials[row] for row in tie]
        winner = trials[statistics.cheapest(tie, np.array([row["seconds"] for row in whole]))]
    return {
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "objective": OBJECTIVE,
        "top": plan.top,
        "seeds": list(plan.seeds),
        "method": {
            "test": "two-sided paired t-tests of the best mean against each other, Holm",
            "alpha": statistics.ALPHA,
            "num_resamples": statistics.NUM_RESAMPLES,
            "largest_bootstrap_coverage": statistics.largest_bootstrap_coverage(len(plan.seeds)),
            "seeds_for_bootstrap": statistics.seeds_for_bootstrap(),
        },
        "configurations": rows,
        "comparisons": comparisons,
        "tie_set": tied,
        "winner": winner,
        "verdict": verdict(rows, comparisons, tied, winner, num_seeds=len(plan.seeds)),
        "optimism": _optimism(whole, figures, searched, rng),
    }


def verdict(
    rows: list[dict[str, Any]],
    comparisons: list[dict[str, Any]],
    tied: list[int],
    winner: int | None,
    *,
    num_seeds: int,
) -> str:
    """The answer in one sentence."""
    seconds = {row["trial"]: row["seconds"] for row in rows}
    if winner is None:
        return "no configuration came through all fresh seeds, so there is no winner"
    if not comparisons:
        return f"trial {winner} is taken: there was no other configuration to compare it with"
    if len(tied) == 1:
        others = [comparison["other"] for comparison in comparisons]
        return (
            f"trial {winner} wins: with {num_seeds} fresh seeds it is significantly better than "
            f"{_trials(others)}"
        )
    return (
        f"a tie: {_trials(tied)} cannot be told apart with {num_seeds} fresh seeds; trial {winner} "
        f"is taken, the cheapest of them ({seconds[winner]:.1f} s of training)"
    )


def _configuration(plan: Plan, row: int, confirmed: RunRecord) -> dict[str, Any]:
    candidate = plan.candidates[row]
    k = len(plan.candidates)
    runs = [confirmed.trials[row + column * k] for column in range(len(plan.seeds))]
    figures = [figure(run, candidate) for run in runs]
    reached = [value for value in figures if value is not None]
    out = next(
        (
            f"{run.status} with seed {seed}" + (f": {run.cause}" if run.cause else "")
            for run, seed, value in zip(runs, plan.seeds, figures, strict=True)
            if value is None
        ),
        None,
    )
    return {
        "trial": candidate.trial,
        "epoch": candidate.epoch,
        "selected": candidate.val_macro_f1,
        "figures": figures,
        "mean": None if out else float(np.mean(reached)),
        "sd": None if out else float(np.std(reached, ddof=1)),
        "seconds": _mean(sum(report["epoch_seconds"] for report in run.reports) for run in runs),
        "out": out,
        "config": candidate.config,
    }


def figure(run: TrialRecord, candidate: Candidate) -> float | None:
    """What a run reached at the epoch that the search chose; None when it did not get there."""
    if run.status != "finished" or run.reports[-1]["epoch"] != candidate.epoch:
        return None
    return float(run.reports[-1][OBJECTIVE])


def _optimism(
    whole: list[dict[str, Any]],
    figures: statistics.FloatArray,
    searched: RunRecord,
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """The meter of the best candidate that came through."""
    if not whole:
        return None
    tried = [trial.best[OBJECTIVE] for trial in searched.trials.values() if trial.best]
    meter = optimism.measure(whole[0]["selected"], figures[0], figures, np.array(tried), rng=rng)
    return {"trial": whole[0]["trial"], **meter.to_dict()}


def _trials(numbers: list[int]) -> str:
    """Such as: trials 3, 7 and 12."""
    *most, last = map(str, numbers)
    return f"trials {', '.join(most)} and {last}" if most else f"trial {last}"


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
