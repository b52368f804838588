"""A run folder made up from numbers, in the formats that `python -m search.run` documents."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trainables.config import FineTuneConfig
from trainables.data.audit import AuditResult
from trainables.data.spec import DataSpec
from trainables.storage import journal

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
CIFAR10 = ("airplane", "automobile", *ANIMALS, "ship", "truck")
STATUSES = ("finished", "stopped", "stopped", "finished", "stopped", "failed")
HEAD_EPOCHS, FINETUNE_EPOCHS = 5, 10
CHECKPOINT = "trials/trial_003/checkpoint_0013"


def make_run(
    folder: Path,
    *,
    class_names: tuple[str, ...] = CIFAR10,
    num_trials: int = 6,
    config: FineTuneConfig | None = None,
    data: DataSpec | None = None,
    num_openings: int = 1,
) -> Path:
    """Write all records of a run; the winner's checkpoint is an empty folder.

    Trial 3 wins in epoch 13 of 15; trial 5, 11, ... failed before their first epoch.
    """
    config = config or FineTuneConfig(head_epochs=HEAD_EPOCHS, finetune_epochs=FINETUNE_EPOCHS)
    rng = np.random.default_rng(0)
    epochs = pd.concat(
        [_epochs(trial, _num_epochs(trial), class_names, rng) for trial in range(num_trials)]
    )
    (folder / CHECKPOINT).mkdir(parents=True)
    best = epochs[(epochs["trial"] == 3) & (epochs["epoch"] == 13)].iloc[0]
    epochs.to_parquet(folder / "epochs.parquet", index=False)
    _trials(epochs, num_trials, config, rng).to_parquet(folder / "trials.parquet", index=False)
    _write_json(
        folder / "experiment.json",
        {
            "format_version": 1,
            "name": "bicubic-or-not",
            "created": "2026-11-20T09:14:02+00:00",
            "command": "python -m search.run --space two_phase --num-trials 6 --seed 0",
            "settings": {"num_trials": num_trials},
            "space": "two_phase",
            "seed": 0,
            "data": (data or DataSpec()).to_dict(),
            "data_fingerprint": "3f1c9a04d1be77c25d3f1c9a04d1be77c25d3f1c9a04d1be77c25d3f1c9a04d1",
            "test_hash": "not opened here",
            "git_commit": "8d2c41f0b7aa35e1c09d44ab1be2a7705cf3e9d2",
            "versions": {"python": "3.11.9", "torch": "2.15.0", "ray": "2.60.0"},
            "hardware": {"cpu_count": 8, "gpus": ["NVIDIA L4"], "memory_bytes": 67_430_000_000},
            "class_names": list(class_names),
        },
    )
    _write_json(
        folder / "best.json",
        {
            "trial": 3,
            "epoch": 13,
            "phase": 2,
            "config": config.to_dict(),
            "checkpoint": CHECKPOINT,
            "val_macro_f1": float(best["val_macro_f1"]),
            "val_accuracy": float(best["val_accuracy"]),
            "val_loss": float(best["val_loss"]),
            "val_f1": {name: float(best[f"val_f1/{name}"]) for name in class_names},
        },
    )
    _audit(class_names, data or DataSpec()).write(folder / "audit.json")
    for _ in range(num_openings):
        journal.append(folder / "journal.jsonl", "test_opened", by="analysis.report")
    return folder


def fail_all(folder: Path) -> None:
    """Make of a run one whose trials all failed in their first epoch, as the search records it."""
    (folder / "best.json").unlink()
    trials = pd.read_parquet(folder / "trials.parquet")
    trials = trials.assign(status="failed", epochs=0)
    trials[["best_epoch", "best_val_macro_f1", "last_val_macro_f1"]] = None
    trials.to_parquet(folder / "trials.parquet", index=False)
    pd.DataFrame().to_parquet(folder / "epochs.parquet", index=False)


def make_predictions(
    recalls: list[float], *, images_per_class: int, seed: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Labels (N,) and logits (N, K); most errors go to the neighbour class."""
    rng = np.random.default_rng(seed)
    num_classes = len(recalls)
    labels = np.repeat(np.arange(num_classes), images_per_class)
    wrong = rng.random(len(labels)) > np.array(recalls)[labels]
    anywhere = (labels + rng.integers(1, num_classes, len(labels))) % num_classes
    neighbour = np.where(labels % 2, labels - 1, (labels + 1) % num_classes)
    to_neighbour = rng.random(len(labels)) < 0.6
    predictions = np.where(wrong, np.where(to_neighbour, neighbour, anywhere), labels)
    logits = rng.normal(size=(len(labels), num_classes))
    logits[np.arange(len(labels)), predictions] += 10
    return labels, logits.astype(np.float32)


def edit_json(path: Path, **changes: Any) -> None:
    """Replace top-level values of a JSON file."""
    _write_json(path, {**json.loads(path.read_text()), **changes})


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values))


def _audit(class_names: tuple[str, ...], data: DataSpec) -> AuditResult:
    sizes = {"train": data.train_size, "val": data.val_size, "test": 10_000}
    return AuditResult(
        data=data.to_dict(),
        warnings=("train and test share 312 pairs of near duplicates, 4 of them mirrored",),
        splits={
            split: {
                "count": count,
                "class_counts": dict.fromkeys(class_names, count // len(class_names)),
                "sha256": f"{index}c07" * 16,
            }
            for index, (split, count) in enumerate(sizes.items())
        },
        duplicates=[
            {
                "splits": ["train", "test"],
                "exact": 0,
                "near": 312,
                "near_mirrored": 4,
                "near_with_two_labels": 2,
                "examples": [],
            }
        ],
        seconds=4.2,
    )


def _status(trial: int) -> str:
    return STATUSES[trial % len(STATUSES)]


def _num_epochs(trial: int) -> int:
    num_stopped = HEAD_EPOCHS + 1 + trial % 4
    return {"finished": HEAD_EPOCHS + FINETUNE_EPOCHS, "stopped": num_stopped, "failed": 0}[
        _status(trial)
    ]


def _epochs(
    trial: int, num_epochs: int, class_names: tuple[str, ...], rng: np.random.Generator
) -> pd.DataFrame:
    """Curves that rise, jump at the unfreeze point, and rise again."""
    epoch = np.arange(1, num_epochs + 1)
    tuned = np.maximum(epoch - HEAD_EPOCHS, 0)
    top = 0.9 - 0.02 * (trial % 5) if trial != 3 else 0.92
    accuracy = top - 0.25 * np.exp(-epoch / 2) - 0.12 * np.exp(-0.5 * tuned)
    accuracy += rng.normal(0, 0.004, num_epochs)
    if trial == 3:
        accuracy[-2:] -= 0.01
    macro_f1 = accuracy - 0.004 + rng.normal(0, 0.002, num_epochs)
    return pd.DataFrame(
        {
            "trial": trial,
            "epoch": epoch,
            "phase": np.where(tuned > 0, 2, 1),
            "phase2_epoch": np.where(tuned > 0, tuned, np.nan),
            "train_loss": 1.6 * np.exp(-epoch / 6),
            "train_accuracy": accuracy + 0.012 * tuned**0.7 - 0.03,
            "val_loss": 1.3 * np.exp(-epoch / 7) + 0.008 * tuned,
            "val_accuracy": accuracy,
            "val_macro_f1": macro_f1,
            **{f"val_f1/{name}": macro_f1 for name in class_names},
        }
    )


def _trials(
    epochs: pd.DataFrame, num_trials: int, config: FineTuneConfig, rng: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for trial in range(num_trials):
        own = epochs[epochs["trial"] == trial].reset_index(drop=True)
        best = own.loc[own["val_macro_f1"].idxmax()] if len(own) else None
        settings = {
            **config.to_dict(),
            "head_lr": float(10 ** rng.uniform(-4, -2)),
            "backbone_lr_ratio": float(10 ** rng.uniform(-2, 0)),
            "unfreeze": str(rng.choice(["top5", "stage4", "all"])),
            "interpolation": str(rng.choice(["bilinear", "bicubic", "lanczos"])),
        }
        rows.append(
            {
                "trial": trial,
                "status": _status(trial),
                "epochs": len(own),
                "best_epoch": None if best is None else best["epoch"],
                "best_val_macro_f1": None if best is None else best["val_macro_f1"],
                "last_val_macro_f1": None if best is None else own["val_macro_f1"].iloc[-1],
                **{f"config/{name}": value for name, value in settings.items()},
            }
        )
    return pd.DataFrame(rows)
