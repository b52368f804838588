"""The whole search against the same one as Ray's documentation teaches it.

    python -m tests.benchmarks.whole_search --data parquet:DIR --out whole_search.json

The same configurations (fixed draws of the space `core`), data, weights, epochs, ASHA, precision
and number of trials at a time; from the start of the command to its end. The baseline is
`tests/benchmarks/plain_ray_tune.py`. `--space shallow` unfreezes stage 4 at most.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from search.records.folder import RunFolder
from search.settings.checks import choose_precision
from search.settings.settings import Settings
from tests.benchmarks.process_meter import Usage, measure
from trainables.config import FineTuneConfig

ONE_THREAD = {"OMP_NUM_THREADS": "1", "RAY_ADDRESS": "local"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--space", choices=["core", "shallow"], default="core")
    parser.add_argument("--train-size", type=int, default=1_000)
    parser.add_argument("--val-size", type=int, default=500)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--head-epochs", type=int, default=3)
    parser.add_argument("--finetune-epochs", type=int, default=9)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--num-trials", type=int, default=27)
    parser.add_argument("--max-concurrent", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--arms", nargs="+", choices=[*ARMS], default=[*ARMS])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    settings = Settings(
        space=f"tests.benchmarks.fixed_designs:{arguments.space}",
        storage="",
        name="run",
        **{
            name: getattr(arguments, name)
            for name in (
                *("data", "train_size", "val_size", "resolution", "head_epochs"),
                *("finetune_epochs", "batch_size", "num_trials", "max_concurrent", "seed"),
            )
        },
    )
    rows = {}
    for arm in arguments.arms:
        with tempfile.TemporaryDirectory(prefix="whole") as scratch:
            usage, curves = ARMS[arm](settings, Path(scratch))
        rows[arm] = as_row(usage, curves, settings.head_epochs)
        print(f"{arm:<18} {json.dumps(rows[arm]['told'])}", flush=True)
        print(f"{'':<18} largest processes, MB: {json.dumps(rows[arm]['peak_megabytes'])}")
    if len(rows) > 1:
        print_comparison(rows, settings)
    if arguments.out:
        arguments.out.write_text(json.dumps({"settings": settings.to_dict(), "arms": rows}))


def run_plain(settings: Settings, scratch: Path) -> tuple[Usage, dict[int, list[float]]]:
    """The baseline; macro-F1 of each epoch by trial."""
    told = {
        "base": base_config(settings).to_dict(),
        "space": settings.space,
        "data": settings.data_spec.to_dict(),
        "num_trials": settings.num_trials,
        "max_concurrent": settings.max_concurrent,
        "storage": str(scratch / "storage"),
    }
    (scratch / "settings.json").write_text(json.dumps(told))
    command = [
        *(sys.executable, "-m", "tests.benchmarks.plain_ray_tune"),
        *(str(scratch / "settings.json"), str(scratch / "result.json")),
    ]
    usage = _measured(command, scratch)
    result = json.loads((scratch / "result.json").read_text())
    failed = [trial["error"] for trial in result["trials"] if trial["error"]]
    assert not failed, failed
    return usage, {trial["number"]: trial["val_macro_f1"] for trial in result["trials"]}


def run_ours(
    settings: Settings, scratch: Path, reuse: str = "auto"
) -> tuple[Usage, dict[int, list[float]]]:
    """This project's search; macro-F1 of each epoch by trial."""
    flags = {
        **settings.to_dict(),
        "storage": str(scratch / "storage"),
        "precision": base_config(settings).precision,
        "reuse": reuse,
    }
    names = (
        *("space", "data", "train_size", "val_size", "resolution", "head_epochs", "seed", "name"),
        *("finetune_epochs", "batch_size", "num_trials", "max_concurrent", "storage", "precision"),
        "reuse",
    )
    command = [sys.executable, "-m", "search.run", "--no-diagnose"]
    for name in names:
        command += [f"--{name.replace('_', '-')}", str(flags[name])]
    usage = _measured(command, scratch)
    epochs = pd.read_parquet(RunFolder(scratch / "storage" / "run").epochs_table)
    curves = epochs.sort_values("epoch").groupby("trial")["val_macro_f1"].apply(list)
    return usage, {int(trial): values for trial, values in curves.items()}


ARMS = {
    "plain Ray Tune": run_plain,
    "ours": run_ours,
    "ours, reuse head": lambda settings, scratch: run_ours(settings, scratch, "head"),
    "ours, reuse off": lambda settings, scratch: run_ours(settings, scratch, "off"),
}


def base_config(settings: Settings) -> FineTuneConfig:
    return settings.base_config(precision=choose_precision(settings))


def _measured(command: list[str], scratch: Path) -> Usage:
    """Run an arm where no other one has left anything."""
    fresh = scratch / "tmp"
    fresh.mkdir()
    log = scratch / "log.txt"
    usage = measure(command, env=os.environ | ONE_THREAD | {"TMPDIR": str(fresh)}, log=str(log))
    assert usage.status == 0, log.read_text()[-4000:]
    return usage


def as_row(usage: Usage, curves: dict[int, list[float]], head_epochs: int) -> dict[str, Any]:
    num_head = sum(min(len(values), head_epochs) for values in curves.values())
    num_all = sum(map(len, curves.values()))
    told = {
        "wall_seconds": round(usage.wall_seconds, 1),
        "cpu_seconds": round(usage.cpu_seconds, 1),
        "peak_gigabytes": round(usage.peak_bytes / 1e9, 2),
        "head_epochs": num_head,
        "finetune_epochs": num_all - num_head,
        "best_macro_f1": round(max(max(values) for values in curves.values() if values), 4),
    }
    largest = sorted(usage.peaks.items(), key=lambda item: -item[1])[:8]
    return {
        "told": told,
        "peak_megabytes": {title: round(size / 1e6) for title, size in largest},
        "curves": {str(k): v for k, v in sorted(curves.items())},
    }


def print_comparison(rows: dict[str, dict[str, Any]], settings: Settings) -> None:
    """Ratios to the first arm, and the trials that both trained to the end."""
    (first, base), *others = rows.items()
    last = settings.head_epochs + settings.finetune_epochs
    print(f"\n{'':<18}{'wall':>8}{'cores':>8}   last epoch where both ended, minus {first}")
    for arm, row in others:
        pairs = [
            values[-1] - base["curves"][trial][-1]
            for trial, values in row["curves"].items()
            if len(values) == last == len(base["curves"].get(trial, []))
        ]
        spread = statistics.stdev(pairs) if len(pairs) > 1 else float("nan")
        difference = f"{100 * statistics.fmean(pairs):+.1f} points" if pairs else "none"
        wall, cpu = (
            base["told"][name] / row["told"][name] for name in ("wall_seconds", "cpu_seconds")
        )
        print(
            f"{arm:<18}{wall:>7.1f}x{cpu:>7.1f}x   {difference} "
            f"(sd {100 * spread:.1f}, n = {len(pairs)})"
        )


if __name__ == "__main__":
    main()
