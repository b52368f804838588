"""Learning curves for the benchmark of search methods: configurations, each trained to its end.

    python -m tests.benchmarks.record_trials --data parquet:DIR --out trials.jsonl
    python -m tests.benchmarks.record_trials --out trials.jsonl --table trials.parquet

A third of the draws is uniform in the space. In the others each setting keeps its default with
probability 0.5 or 0.8: searches around a good default see such configurations. Nothing is stopped
early, not by a configuration's own patience either. One configuration in ten is trained once more
with another seed: how far two trainings of one configuration differ. One line a training; those
that are in --out already are not trained again, so that recording goes on where it was cut.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from optuna.trial import FixedTrial

from spaces.dimensions import parameters
from spaces.registry import Space, load_space, quiet_study
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.training.pictures import TrialData
from trainables.training.reuse import Reuse
from trainables.two_phase import fine_tune

BASE = FineTuneConfig(resolution_px=48, head_epochs=3, finetune_epochs=9, precision="bf16")
SPACE = "full"
DRAW_SEED = 2024  # of the configurations
KEPT = (0.0, 0.5, 0.8)  # probabilities, in turn, with which a draw's settings keep their defaults
REPEAT_EVERY = 10  # the default, configuration 0, among them
REPEAT_SEED = 1  # of a second training; the first has BASE's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="pictures; without it nothing is trained")
    parser.add_argument("--train-size", type=int, default=2_000)
    parser.add_argument("--val-size", type=int, default=1_000)
    parser.add_argument("--trials", type=int, default=180)
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, a core each")
    parser.add_argument("--max-minutes", type=float, default=60.0, help="none starts later")
    parser.add_argument("--out", type=Path, required=True, help="one line of JSON a training")
    parser.add_argument("--table", type=Path, help="the recorded trainings as a small table")
    arguments = parser.parse_args()
    if arguments.data:
        spec = DataSpec(
            source=arguments.data,
            train_size=arguments.train_size,
            val_size=arguments.val_size,
        )
        record(
            drawn_configs(arguments.trials),
            spec,
            arguments.out,
            num_workers=arguments.workers,
            max_minutes=arguments.max_minutes,
        )
    if arguments.table:
        curves_table(read(arguments.out)).to_parquet(arguments.table, index=False)


def drawn_configs(num_trials: int) -> list[dict[str, Any]]:
    """The default and the draws, by number: what the study chose, and the configuration."""
    space = load_space(SPACE)
    default = parameters_of_default(space)
    drawn = [{"trial": 0, "kept": 1.0, "params": default, "config": BASE}]
    for number in range(1, num_trials):
        # One study and one generator a draw: a draw does not depend on how many come before it.
        kept, rng = KEPT[number % len(KEPT)], np.random.default_rng([DRAW_SEED, number])
        study = quiet_study(seed=int(rng.integers(2**31)))
        study.enqueue_trial({name: v for name, v in default.items() if rng.random() < kept})
        trial = study.ask()
        config = replace(space(trial, BASE), early_stopping_epochs=0)
        drawn.append({"trial": number, "kept": kept, "params": trial.params, "config": config})
    return drawn


def parameters_of_default(space: Space) -> dict[str, Any]:
    """What the space would have been asked for the default."""
    trial = FixedTrial(parameters(BASE))
    space(trial, BASE)
    return trial.params


def record(
    drawn: list[dict[str, Any]], spec: DataSpec, out: Path, *, num_workers: int, max_minutes: float
) -> None:
    """Train what is not on record yet; a line is written when its training has ended."""
    done = {(line["trial"], line["seed"]) for line in read(out)}
    jobs = [(each, seed) for each, seed in trainings(drawn) if (each["trial"], seed) not in done]
    deadline = time.monotonic() + 60 * max_minutes
    with ProcessPoolExecutor(num_workers) as pool:
        running = [pool.submit(train, each, seed, spec, deadline) for each, seed in jobs]
        for finished in as_completed(running):
            if line := finished.result():
                with out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(
                    f"trial {line['trial']:3d} seed {line['seed']}  {sum(line['seconds']):5.1f} s  "
                    + " ".join(f"{value:.3f}" for value in line["val_macro_f1"]),
                    flush=True,
                )


def trainings(drawn: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    """Each configuration once, and some of them with a second seed."""
    for each in drawn:
        yield each, BASE.seed
        if each["trial"] % REPEAT_EVERY == 0:
            yield each, REPEAT_SEED


def train(
    drawn: dict[str, Any], seed: int, spec: DataSpec, deadline: float
) -> dict[str, Any] | None:
    """One training from its first epoch to its last, as a line of the output file.

    None when the deadline, of the monotonic clock, has passed before it began.
    """
    if time.monotonic() > deadline:
        return None
    torch.set_num_threads(1)
    loaded = load_training(spec)
    reports: list[dict[str, Any]] = []
    config = replace(drawn["config"], seed=seed)
    fine_tune(
        config,
        TrialData(train=loaded.train, val=loaded.val, data_seed=spec.seed),
        lambda report, _: reports.append(report),
        device=torch.device("cpu"),
        reuse=Reuse("head"),  # views and phase 1's features; no number changes
    )
    return {
        "trial": drawn["trial"],
        "seed": seed,
        "kept": drawn["kept"],
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
            "kept": line["kept"],
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
