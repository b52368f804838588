"""The decks' choices against each other: one change at a time, paired seeds, no search.

    python -m tests.benchmarks.choices --data parquet:DIR --out choices.jsonl

Each arm is the base configuration with one change. A seed draws its own split and views, the same
for every arm, so that arms are compared pairwise. An arm's figure is the validation macro-F1 of its
last epoch: nothing is selected. Finished runs are in --out and are not run again.
"""

import argparse
import json
import math
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from scipy import stats

from spaces.decks import DECKS
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

BASE = FineTuneConfig(head_epochs=2, finetune_epochs=6, batch_size=64, precision="bf16")
ARMS: dict[str, dict[str, Any]] = {
    "base": {},
    **{f"interpolation {k}": {"interpolation": k} for k in ("nearest", "bilinear", "lanczos")},
    **{f"unfreeze {depth}": {"unfreeze": depth} for depth in ("top5", "stage4")},
    **{f"ratio {ratio}": {"backbone_lr_ratio": ratio} for ratio in (1.0, 0.1, 0.01)},
    "cutmix 0.5": {"cutmix_probability": 0.5},
    # All on ResNet-18, deck B's ResNet-50 too: the embedded weights are of that backbone.
    **{f"deck {name}": recipe | {"backbone": "resnet18"} for name, recipe in DECKS.items()},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--train-size", type=int, default=10_000)
    parser.add_argument("--val-size", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=3, help="2 or more")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    done = read(arguments.out)
    for seed in range(arguments.seeds):
        spec = DataSpec(
            source=arguments.data,
            train_size=arguments.train_size,
            val_size=arguments.val_size,
            seed=seed,
        )
        loaded = load_training(spec)
        data = TrialData(train=loaded.train, val=loaded.val, data_seed=seed)
        for arm, change in ARMS.items():
            if (arm, seed) not in done:
                done[arm, seed] = run(arm, replace(BASE, **change, seed=seed), data)
                with arguments.out.open("a") as file:
                    file.write(json.dumps(done[arm, seed]) + "\n")
    print_table(done)


def run(arm: str, config: FineTuneConfig, data: TrialData) -> dict[str, Any]:
    """One run's result, as a line of the output file."""
    reports: list[dict[str, Any]] = []
    started = time.perf_counter()
    fine_tune(config, data, lambda report, _: reports.append(report), device=torch.device("cpu"))
    frozen = [report for report in reports if report["phase"] == 1]
    result = {
        "arm": arm,
        "seed": config.seed,
        "macro_f1": reports[-1]["val_macro_f1"],
        "accuracy": reports[-1]["val_accuracy"],
        "frozen_macro_f1": frozen[-1]["val_macro_f1"],
        "f1": reports[-1]["val_f1"],
        "seconds": time.perf_counter() - started,
    }
    print(f"{arm:<24} seed {config.seed}  macro-F1 {result['macro_f1']:.4f}", flush=True)
    return result


def read(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """The runs that are done already."""
    lines = path.read_text().splitlines() if path.exists() else []
    results = [json.loads(line) for line in lines]
    return {(result["arm"], result["seed"]): result for result in results}


def print_table(done: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Mean and standard deviation over seeds; paired difference from the base, in points."""
    print(
        "\n| arm | phase 1 | macro-F1, mean (sd) | minus base, points (95 %) | n |\n"
        + "|---" * 5
        + "|"
    )
    base = {seed: r["macro_f1"] for (arm, seed), r in done.items() if arm == "base"}
    for arm in ARMS:
        results = {seed: r for (name, seed), r in done.items() if name == arm}
        values = [r["macro_f1"] for r in results.values()]
        frozen = statistics.fmean(r["frozen_macro_f1"] for r in results.values())
        difference = t_interval([100 * (r["macro_f1"] - base[s]) for s, r in results.items()])
        spread = f"{statistics.fmean(values):.3f} ({statistics.stdev(values):.3f})"
        print(f"| {arm} | {frozen:.3f} | {spread} | {difference} | {len(values)} |")


def t_interval(differences: list[float]) -> str:
    """Mean and Student's 95 % interval of paired differences."""
    mean, count = statistics.fmean(differences), len(differences)
    error = statistics.stdev(differences) / math.sqrt(count)
    half = float(stats.t.ppf(0.975, count - 1)) * error
    return f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f})"


if __name__ == "__main__":
    main()
