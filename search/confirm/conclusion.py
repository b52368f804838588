"""What a confirmation found: the matrix of figures, the comparisons, the winner, the optimism.

`conclude` makes confirm.json, `confirmation_lines` its lines on a terminal.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from search.confirm import optimism, statistics
from search.confirm.grid import FORMAT_VERSION, Candidate, ConfirmationPlan
from search.records.record import OBJECTIVE, RunRecord, TrialRecord


def conclude(
    plan: ConfirmationPlan, confirmed: RunRecord, searched: RunRecord, *, seed: int
) -> dict[str, Any]:
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


def _configuration(plan: ConfirmationPlan, row: int, confirmed: RunRecord) -> dict[str, Any]:
    candidate = plan.candidates[row]
    numbers = [plan.grid.number(row, column) for column in range(len(plan.seeds))]
    runs = [confirmed.trials[number] for number in numbers]
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


def confirmation_lines(result: dict[str, Any]) -> Iterator[str]:
    """What confirm.json says, a line after the other."""
    yield from _matrix(result)
    if result["comparisons"]:
        yield ""
        yield from _differences(result)
    yield ""
    yield f"verdict      {result['verdict']}"
    if result["optimism"]:
        yield from _optimism_lines(result["optimism"])


def _optimism_lines(meter: dict[str, Any]) -> Iterator[str]:
    yield (
        f"optimism     trial {meter['trial']}: {meter['selected']:.3f} selected in the search, "
        f"{meter['fresh_mean']:.3f} with fresh seeds (sd {meter['fresh_sd']:.3f}, "
        f"n {meter['num_seeds']})"
    )
    seen = f"             {-meter['seen']:+.3f} was seen (standard error {meter['error']:.3f})"
    if meter["expected"] is None:
        yield f"{seen}; what to expect takes a second configuration (--top 2)"
        return
    count = meter["num_candidates"]
    yield (
        f"{seen}; {-meter['expected']:+.3f} is expected of the best of these {count} trials, "
        f"{-meter['expected_if_equal']:+.3f} of {count} equal ones"
    )


def _matrix(result: dict[str, Any]) -> Iterator[str]:
    yield "validation macro-F1: as selected in the search, and with fresh seeds at the same epoch"
    seeds = "".join(f"  {f'seed {seed}':>9}" for seed in result["seeds"])
    yield (
        f"  {'trial':>5}  {'epoch':>5}  {'selected':>8}{seeds}  {'mean':>5}  {'sd':>5}  "
        f"{'seconds':>7}"
    )
    for row in result["configurations"]:
        values = "".join(f"  {_value(value):>9}" for value in row["figures"])
        rest = (
            f"  {_value(row['mean']):>5}  {_value(row['sd']):>5}  {row['seconds']:>7.1f}"
            if row["out"] is None
            else f"  out: {row['out']}"
        )
        yield (
            f"  {row['trial']:>5}  {row['epoch']:>5}  {row['selected']:>8.3f}{values}{rest}"
        ).rstrip()


def _differences(result: dict[str, Any]) -> Iterator[str]:
    comparisons = result["comparisons"]
    yield f"trial {comparisons[0]['best']}, the best mean, against the others, paired by seed"
    yield (
        f"  {'trial':>5}  {'difference':>10}  {'95 % interval':>16}  {'bootstrap':>16}  "
        f"{'p':>5}  {'p, Holm':>7}  significant"
    )
    for comparison in comparisons:
        needed = comparison["least_significant"]
        no = f"no, it takes {needed:.3f}" if needed else "not tested, there is no scatter"
        verdict = "yes" if comparison["significant"] else no
        yield (
            f"  {comparison['other']:>5}  {comparison['difference']:>+10.3f}  "
            f"{_interval(comparison['t_interval']):>16}  "
            f"{_interval(comparison['bootstrap_interval']):>16}  "
            f"{comparison['p_value']:>5.3f}  {comparison['p_holm']:>7.3f}  {verdict}"
        )
    method, num_seeds = result["method"], len(result["seeds"])
    yield (
        "  interval: Student's t; bootstrap: percentiles over resampled seeds; significant: p with "
        f"Holm's correction at {method['alpha']:.0%}"
    )
    if num_seeds < method["seeds_for_bootstrap"]:
        yield (
            f"  with {num_seeds} seeds the bootstrap interval covers at most "
            f"{method['largest_bootstrap_coverage']:.0%}; 95 % takes "
            f"{method['seeds_for_bootstrap']} seeds (--seeds)"
        )


def _interval(bounds: list[float]) -> str:
    low, high = bounds
    return f"{low:+.3f} to {high:+.3f}"


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
