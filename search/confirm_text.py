"""The terminal of a confirmation: a line an epoch while it trains, then what it found."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from search.listener import Listener
from search.monitoring.lines import PHASES, describe_end, duration
from search.names import OBJECTIVE
from search.records.record import RunRecord, TrialRecord
from trainables.config import FineTuneConfig

COLUMNS = (
    f"{'seed':>6}  {'phase':<8}  {'epoch':>5}  {'train loss':>10}  {'val F1':>6}  "
    f"{'images/s':>8}  done"
)


class FreshProgress(Listener):
    """One aligned line an epoch, and one for a training that did not come through.

    Args:
        cells: a training's number -> what is trained (the search's trial, an arm), and the seed.
        title: of what is trained.
        out: takes a line; default: standard output.
    """

    def __init__(
        self,
        cells: Mapping[int, tuple[int | str, int]],
        *,
        title: str = "trial",
        out: Callable[[str], Any] | None = None,
    ) -> None:
        self._cells, self._title, self._out = cells, title, out or _print
        self._width = max(5, len(title), *(len(str(name)) for name, _ in cells.values()))
        self._started = time.monotonic()
        self._has_header = False

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        if not self._has_header:
            self._out(f"{'elapsed':>8}  {self._title:>{self._width}}  {COLUMNS}")
            self._has_header = True
        last = FineTuneConfig.from_dict(trial.config).final_epoch
        done = sum(t.ended for t in record.trials.values()) + bool(report["finished"])
        self._out(
            f"{self._head(trial)}  {PHASES[report['phase']]:<8}  {report['epoch']:>2}/{last:<2}  "
            f"{_number(report, 'train_loss', 4):>10}  {_number(report, OBJECTIVE, 3):>6}  "
            f"{report['images_per_second']:>8.0f}  {done}/{len(self._cells)}"
        )

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        if trial.status != "finished":
            self._out(f"{self._head(trial)}  {describe_end(trial)}")

    def on_note(self, record: RunRecord, text: str) -> None:
        self._out(f"{duration(time.monotonic() - self._started):>8}  note: {text}")

    def _head(self, trial: TrialRecord) -> str:
        name, seed = self._cells[trial.number]
        return f"{duration(time.monotonic() - self._started):>8}  {name:>{self._width}}  {seed:>6}"


def describe(result: dict[str, Any]) -> Iterator[str]:
    """What confirm.json says, a line after the other."""
    yield from _matrix(result)
    if result["comparisons"]:
        yield ""
        yield from _differences(result)
    yield ""
    yield f"verdict      {result['verdict']}"
    if result["optimism"]:
        yield from _optimism(result["optimism"])


def _optimism(meter: dict[str, Any]) -> Iterator[str]:
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


def _number(report: dict[str, Any], name: str, digits: int) -> str:
    return f"{report[name]:.{digits}f}" if name in report else "-"


def _print(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
