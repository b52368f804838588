"""What a confirmation found, as lines for a terminal."""

from collections.abc import Iterator
from typing import Any


def describe(result: dict[str, Any]) -> Iterator[str]:
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
