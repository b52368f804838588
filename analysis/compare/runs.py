"""Several runs beside each other: what each found, and in what their winners differ.

One figure a run, of one seed, has no scatter, so nothing is tested here: `search.confirm` and the
arms of `search.run --around` are what tests.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.compare.arms import BASELINE, PLACEBO
from analysis.run.reader import Run
from trainables.errors import UserError

SAME = (
    "The runs were judged on the same pictures, so their figures compare; each is of one seed and "
    "the best of its run, so no difference is tested."
)
DIFFERENT = (
    "The runs were judged on different pictures (their data fingerprints or seeds differ), so "
    "their figures do not compare and no difference is tested."
)
NOTHING = "-"


def side_by_side(runs: Sequence[Run]) -> dict[str, Any]:
    """A row a run in the order given, and the winners' settings that are not the same in all.

    Raises:
        UserError: a run has no winner.
    """
    winners = [_winner(run) for run in runs]
    configs = [best["config"] for best in winners]
    # The arms of `search.run --around` have a split for every seed.
    pictures = {
        (run.experiment["data_fingerprint"], config.get("seed"))
        for run, config in zip(runs, configs, strict=True)
    }
    names = list(dict.fromkeys(name for config in configs for name in config))
    differing = [n for n in names if len({str(config.get(n)) for config in configs}) > 1]
    return {
        "note": SAME if len(pictures) == 1 else DIFFERENT,
        "same_data": len(pictures) == 1,
        "runs": [_row(run, best) for run, best in zip(runs, winners, strict=True)],
        "settings": {name: [config.get(name) for config in configs] for name in differing},
    }


def _winner(run: Run) -> dict[str, Any]:
    if run.best is None:
        raise UserError(
            f"{run.path}: no trial has finished an epoch; allowed: runs with a winner; leave it out"
        )
    return run.best


def _row(run: Run, best: dict[str, Any]) -> dict[str, Any]:
    seconds = run.trials.get("seconds")
    return {
        "run": run.path.name,
        "path": str(run.path),
        "data_fingerprint": run.experiment["data_fingerprint"],
        "num_trials": len(run.trials),
        "winner": {"trial": int(best["trial"]), "epoch": int(best["epoch"])},
        "val_macro_f1": float(best["val_macro_f1"]),
        "val_accuracy": float(best["val_accuracy"]),
        "confirmed": _confirmed(run.confirmation),
        "training_seconds": None if seconds is None else float(seconds.sum()),
    }


def _confirmed(confirmation: dict[str, Any] | None) -> dict[str, Any] | None:
    """The confirmed winner's mean over fresh seeds; None without one."""
    if confirmation is None or confirmation["winner"] is None:
        return None
    row = next(c for c in confirmation["configurations"] if c["trial"] == confirmation["winner"])
    return {
        "trial": row["trial"],
        "mean": row["mean"],
        "sd": row["sd"],
        "num_seeds": len(confirmation["seeds"]),
    }


def describe_arms(compared: dict[str, Any]) -> Iterator[str]:
    """The verdicts of one run's arms, a line an arm, then a sentence each."""
    pair, arms = " and ".join(compared["pair"]), compared["arms"]
    yield f"run          {compared['run']}: arms around {compared['around']}"
    yield f"aim          {pair} ({compared['source']})"
    yield f"placebo      hard mining aimed at {' and '.join(compared['placebo'])}"
    yield (
        f"judged on    {compared['num_images']} validation pictures a seed, after the last epoch; "
        f"{len(compared['seeds'])} seeds"
    )
    yield ""
    width = max(len(arm["arm"]) for arm in arms)
    titles = ("pair errors, %", "change, points", "over placebo", "macro-F1, points")
    columns = "  ".join(f"{title:>20}" for title in titles)
    yield f"  {'arm':<{width}}  {columns}  verdict"
    for arm in arms:
        cells = (
            _mean_rate(arm),
            *(_points(arm[name]) for name in ("pair", "over_placebo", "macro_f1")),
        )
        shown = "  ".join(f"{cell:>20}" for cell in cells)
        yield f"  {arm['arm']:<{width}}  {shown}  {arm.get('verdict', '')}".rstrip()
    yield "  with 95 % intervals, paired by seed (Student's t)"
    for arm in arms:
        if arm["arm"] not in (BASELINE, PLACEBO):
            yield ""
            yield f"{arm['arm']:<12} {arm['sentence']}"


def describe_runs(compared: dict[str, Any]) -> Iterator[str]:
    """Runs side by side, a column a run."""
    runs = compared["runs"]
    rows = {
        "run": [run["run"] for run in runs],
        "trials": [str(run["num_trials"]) for run in runs],
        "winner": [f"trial {r['winner']['trial']}, epoch {r['winner']['epoch']}" for r in runs],
        "val macro-F1": [f"{run['val_macro_f1']:.3f}" for run in runs],
        "val accuracy": [f"{run['val_accuracy']:.3f}" for run in runs],
        "confirmed": [_confirmed_text(run["confirmed"]) for run in runs],
        "training": [_minutes(run["training_seconds"]) for run in runs],
        **{name: [_short(v) for v in values] for name, values in compared["settings"].items()},
    }
    title = max(map(len, rows))
    widths = [max(len(cells[i]) for cells in rows.values()) for i in range(len(runs))]
    for name, cells in rows.items():
        padded = "  ".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        yield f"{name:<{title}}  {padded}"
    yield ""
    yield compared["note"]


def _mean_rate(arm: dict[str, Any]) -> str:
    rates = [figure["pair_error_rate"] for figure in arm["figures"].values()]
    if not rates or any(rate is None for rate in rates):
        return NOTHING
    return f"{100 * sum(rates) / len(rates):.1f} (n {len(rates)})"


def _points(difference: dict[str, float | None] | None) -> str:
    if difference is None or difference["value"] is None:
        return NOTHING
    value, lower, upper = difference["value"], difference["lower"], difference["upper"]
    bounds = "" if lower is None or upper is None else f" ({100 * lower:+.1f} {100 * upper:+.1f})"
    return f"{100 * value:+.1f}{bounds}"


def _confirmed_text(confirmed: dict[str, Any] | None) -> str:
    if confirmed is None:
        return NOTHING
    return f"{confirmed['mean']:.3f} (sd {confirmed['sd']:.3f}, n {confirmed['num_seeds']})"


def _minutes(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds / 60:.1f} min"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
