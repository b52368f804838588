"""Learning curves to simulate from: random configurations, each trained to its last epoch.

    python -m tests.benchmarks.record_trials --data parquet:DIR --out trials.jsonl
    python -m tests.benchmarks.record_trials --out trials.jsonl --table recorded_trials.parquet

The draws are uniform in a space, one sequence a seed; nothing is stopped early, not by a
configuration's own patience either. One in `--repeat-every` configurations is trained once more
with another seed: how far two trainings of one configuration differ. Trials that are in --out
already are not trained again.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from spaces.registry import load_space, quiet_study
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

BASE = FineTuneConfig(resolution_px=32, head_epochs=2, finetune_epochs=8, batch_size=64)
SPACE = "full"
DRAW_SEED = 2024  # of the configurations
REPEAT_SEED = 1  # of a second training; the first has BASE's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="pictures; without it nothing is trained")
    parser.add_argument("--space", default=SPACE)
    parser.add_argument("--train-size", type=int, default=640)
    parser.add_argument("--val-size", type=int, default=1_000)
    parser.add_argument("--trials", type=int, default=110)
    parser.add_argument("--repeat-every", type=int, default=8)
    parser.add_argument("--max-minutes", type=float, default=60.0, help="no trial starts later")
    parser.add_argument("--out", type=Path, required=True, help="one line of JSON a trial")
    parser.add_argument("--table", type=Path, help="the recorded trials as a small table")
    arguments = parser.parse_args()
    if arguments.data:
        spec = DataSpec(
            source=arguments.data,
            train_size=arguments.train_size,
            val_size=arguments.val_size,
        )
        loaded = load_training(spec)
        data = TrialData(train=loaded.train, val=loaded.val, data_seed=spec.seed)
        configs = drawn_configs(arguments.space, arguments.trials)
        record(configs, data, arguments.out, arguments.repeat_every, arguments.max_minutes)
    if arguments.table:
        curves_table(read(arguments.out)).to_parquet(arguments.table, index=False)


def drawn_configs(space_name: str, num_trials: int) -> list[dict[str, Any]]:
    """Configurations and what the study chose of each, by the number of the draw."""
    space, study = load_space(space_name), quiet_study(seed=DRAW_SEED)
    drawn = []
    for number in range(num_trials):
        trial = study.ask()
        config = replace(space(trial, BASE), early_stopping_epochs=0)
        drawn.append({"trial": number, "params": trial.params, "config": config})
    return drawn


def record(
    drawn: list[dict[str, Any]], data: TrialData, out: Path, repeat_every: int, max_minutes: float
) -> None:
    """Train what is not on record yet; a line is written when its trial has ended."""
    torch.set_num_threads(1)
    done = {(line["trial"], line["seed"]) for line in read(out)}
    jobs = []
    for each in drawn:
        jobs.append((each, BASE.seed))
        if each["trial"] % repeat_every == repeat_every - 1:
            jobs.append((each, REPEAT_SEED))
    deadline = time.monotonic() + 60 * max_minutes
    for each, seed in jobs:
        if (each["trial"], seed) in done or time.monotonic() > deadline:
            continue
        line = train(each, seed, data)
        with out.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(
            f"trial {line['trial']:3d} seed {seed}  {sum(line['seconds']):5.1f} s  "
            + " ".join(f"{value:.3f}" for value in line["val_macro_f1"]),
            flush=True,
        )


def train(drawn: dict[str, Any], seed: int, data: TrialData) -> dict[str, Any]:
    """One trial from its first epoch to its last, as a line of the output file."""
    reports: list[dict[str, Any]] = []
    config = replace(drawn["config"], seed=seed)
    fine_tune(config, data, lambda report, _: reports.append(report), device=torch.device("cpu"))
    return {
        "trial": drawn["trial"],
        "seed": seed,
        "params": drawn["params"],
        "config": config.to_dict(),
        "diverged": bool(reports[-1]["diverged"]),
        "val_macro_f1": [report["val_macro_f1"] for report in reports],
        "seconds": [report["epoch_seconds"] for report in reports],
    }


def read(path: Path) -> list[dict[str, Any]]:
    """The recorded lines, if there are any."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def curves_table(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a trial: the parameters drawn, and a column an epoch for each of two figures."""
    rows = [
        {
            "trial": line["trial"],
            "seed": line["seed"],
            "diverged": line["diverged"],
            **{f"params/{name}": value for name, value in line["params"].items()},
            **{f"val_macro_f1/{i}": v for i, v in enumerate(line["val_macro_f1"], start=1)},
            **{f"seconds/{i}": round(v, 3) for i, v in enumerate(line["seconds"], start=1)},
        }
        for line in lines
    ]
    return pd.DataFrame(rows).sort_values(["seed", "trial"], ignore_index=True)


if __name__ == "__main__":
    main()
