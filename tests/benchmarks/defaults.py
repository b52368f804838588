"""The default configuration against changes of it, one at a time, at several sizes; no search.

    python -m tests.benchmarks.defaults --data parquet:DIR --out defaults.jsonl
    python -m tests.benchmarks.defaults --data parquet:DIR --out defaults.jsonl --sizes 10000:64:9
        --arms default --seeds 3
    python -m tests.benchmarks.defaults --out defaults.jsonl       # the table of what is there

A size is TRAINING PICTURES:PX:FINE-TUNE EPOCHS. A seed draws its own split and views, the same for
every arm, so that arms are compared pairwise. An arm's figure is the macro-F1 of its last epoch on
2,000 validation pictures: nothing is selected, and the test split is never loaded. A run is known
by its whole configuration, so what --out holds already is not trained again, whatever its arm was
called.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.choices import t_interval
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.training.pictures import TrialData
from trainables.training.reuse import Reuse
from trainables.two_phase import fine_tune

VAL_SIZE = 2_000
SIZES = "2000:48:9,2000:64:9,2000:64:20,2000:96:9,10000:64:9"
BASE = FineTuneConfig(head_epochs=3, precision="bf16")
# The default while the embedded net was trained on Tiny-ImageNet alone.
BEFORE: dict[str, Any] = {
    "head_lr": 3e-3,
    "backbone_lr_ratio": 0.3,
    "layer_decay": 1.0,
    "batchnorm": "train",
    "label_smoothing": 0.0,
    "ema_decay": 0.0,
    "batch_size": 64,
}
# The way from there: frozen statistics and lower rates, then label smoothing, smaller batches and
# averaged weights; and what else was tried on the way.
GENTLE = BEFORE | {"batchnorm": "frozen", "layer_decay": 0.65, "head_lr": 1e-3}
WARM_HEAD = GENTLE | {"head_lr": 3e-3, "backbone_lr_ratio": 0.1}
SMOOTH = GENTLE | {"label_smoothing": 0.1}
SMALL = SMOOTH | {"batch_size": 32, "ema_decay": 0.98}
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "before": BEFORE,
    "gentle": GENTLE,
    "gentle, ema 0.98": GENTLE | {"ema_decay": 0.98},
    "warm head": WARM_HEAD,
    "warm head, smoothing 0.1": WARM_HEAD | {"label_smoothing": 0.1},
    "warm head, ema 0.98": WARM_HEAD | {"ema_decay": 0.98},
    "warm head, mixup 0.3": WARM_HEAD | {"mixup_probability": 0.3},
    "smooth": SMOOTH,
    "smooth, ema 0.98": SMOOTH | {"ema_decay": 0.98},
    "smooth, batches of 32": SMOOTH | {"batch_size": 32},
    "smooth, head rate 2e-3": SMOOTH | {"head_lr": 2e-3},
    "smooth, ratio 0.12": SMOOTH | {"backbone_lr_ratio": 0.12},
    "smooth, mixup 0.3": SMOOTH | {"mixup_probability": 0.3},
    "smooth, cutmix 0.3": SMOOTH | {"cutmix_probability": 0.3},
    "smooth, SGD": SMOOTH | {"optimizer": "sgd", "head_lr": 0.03, "weight_decay": 1e-4},
    "small": SMALL,
    "small, flips alone": SMALL | {"augmentation": "flip"},
    "small, weight decay 0.1": SMALL | {"weight_decay": 0.1},
    "small, layer decay 0.8, ratio 0.2": SMALL | {"layer_decay": 0.8, "backbone_lr_ratio": 0.2},
    "small, ratio 0.6": SMALL | {"backbone_lr_ratio": 0.6},
    "small, stages 3 and 4": SMALL | {"unfreeze": "stage3"},
    "small, BatchNorm trained": SMALL | {"batchnorm": "train"},
    "head rate 3e-3": {"head_lr": 3e-3},
    "flips alone": {"augmentation": "flip"},
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training run: a configuration, which holds its seed, on so many pictures."""

    train_size: int
    config: FineTuneConfig

    @property
    def key(self) -> str:
        """What the run's figures depend on."""
        return json.dumps([self.train_size, self.config.to_dict()], sort_keys=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="pictures; without it nothing is trained")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="runs at a time, a core each")
    parser.add_argument("--out", type=Path, required=True, help="one line of JSON a run")
    arguments = parser.parse_args()
    if arguments.data:
        jobs = list(wanted(arguments.sizes, arguments.arms, arguments.seeds))
        train_all(jobs, arguments.data, arguments.out, arguments.workers)
    print_table(read(arguments.out), arguments.sizes)


def wanted(sizes: str, arms: str, num_seeds: int) -> Iterator[Job]:
    """The runs of a table, all arms of a seed before the next seed."""
    for seed in range(num_seeds):
        for size in sizes.split(","):
            for arm in arms.split(","):
                yield job(size, arm, seed)


def job(size: str, arm: str, seed: int) -> Job:
    """The run of an arm at a size."""
    train_size, px, epochs = map(int, size.split(":"))
    return Job(
        train_size=train_size,
        config=replace(BASE, resolution_px=px, finetune_epochs=epochs, seed=seed, **ARMS[arm]),
    )


def train_all(jobs: list[Job], source: str, out: Path, num_workers: int) -> None:
    """Train what is not in `out` yet; a line is written when its run has ended."""
    done = read(out)
    missing = {job.key: job for job in jobs if job.key not in done}
    with ProcessPoolExecutor(num_workers) as pool:
        running = [pool.submit(run, job, source) for job in missing.values()]
        for finished in as_completed(running):
            line = finished.result()
            with out.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(" ".join(f"{value:.3f}" for value in line["val_macro_f1"]), flush=True)


def run(job: Job, source: str) -> dict[str, Any]:
    """One run's result, as a line of the output file."""
    torch.set_num_threads(1)
    seed = job.config.seed
    loaded = load_training(
        DataSpec(source=source, train_size=job.train_size, val_size=VAL_SIZE, seed=seed)
    )
    curve: list[float] = []
    started = time.perf_counter()
    fine_tune(
        job.config,
        TrialData(train=loaded.train, val=loaded.val, data_seed=seed),
        lambda report, _: curve.append(report["val_macro_f1"]),
        device=torch.device("cpu"),
        reuse=Reuse("head"),  # arms share views and phase 1's features; no number changes
    )
    return {
        "train_size": job.train_size,
        "config": job.config.to_dict(),
        "val_macro_f1": curve,
        "seconds": round(time.perf_counter() - started, 1),
    }


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The runs that are done already, by their keys; settings added since have their defaults."""
    lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {
        Job(
            train_size=line["train_size"], config=FineTuneConfig.from_dict(line["config"])
        ).key: line
        for line in lines
    }


def print_table(done: dict[str, dict[str, Any]], sizes: str) -> None:
    """Phase 1, the lowest epoch of phase 2 and the last; paired difference from the default."""
    for size in sizes.split(","):
        print(
            f"\n{size}\n\n| arm | phase 1 | lowest of phase 2 | last epoch, mean (sd) | minus "
            "default, points (95 %) | n |\n" + "|---" * 6 + "|"
        )
        default = _curves(done, size, "default")
        for arm in ARMS:
            curves = _curves(done, size, arm)
            if curves:
                print(_row(arm, curves, default))


def _curves(done: dict[str, dict[str, Any]], size: str, arm: str) -> dict[int, list[float]]:
    found = ((seed, done.get(job(size, arm, seed).key)) for seed in range(10))
    return {seed: line["val_macro_f1"] for seed, line in found if line}


def _row(arm: str, curves: dict[int, list[float]], default: dict[int, list[float]]) -> str:
    phase1 = statistics.fmean(curve[BASE.head_epochs - 1] for curve in curves.values())
    lowest = statistics.fmean(min(curve[BASE.head_epochs :]) for curve in curves.values())
    last = [curve[-1] for curve in curves.values()]
    spread = f" ({statistics.stdev(last):.3f})" if len(last) > 1 else ""
    pairs = [
        100 * (curve[-1] - default[seed][-1]) for seed, curve in curves.items() if seed in default
    ]
    difference = "" if arm == "default" or not pairs else f"{statistics.fmean(pairs):+.1f}"
    if difference and len(pairs) > 1:
        difference = t_interval(pairs)
    return (
        f"| {arm} | {phase1:.3f} | {lowest:.3f} | {statistics.fmean(last):.3f}{spread} "
        f"| {difference} | {len(curves)} |"
    )


if __name__ == "__main__":
    main()
