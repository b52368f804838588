"""Several runs beside each other: what each found, and in what their winners differ.

One figure a run, of one seed, has no scatter, so nothing is tested here: `search.confirm` and the
arms of `search.run --around` are what tests.
"""

from collections.abc import Sequence
from typing import Any

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
