"""A small run with a real checkpoint: what `search.export` and the server work on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from search.records.folder import RunFolder
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.storage.files import write_json
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

CLASSES = ("blue", "green", "red")
CHECKPOINT = "trials/trial_0002/checkpoint_0001"
CONFIG = FineTuneConfig(
    resolution_px=40, interpolation="lanczos", augmentation="none", head_epochs=1,
    finetune_epochs=0, batch_size=8,
)  # fmt: skip


def make_exportable(root: Path, *, weights: str = "embedded") -> RunFolder:
    """Trial 2 was trained for one epoch on 90 of 300 noisy pictures of three colours."""
    pictures = root / "pictures"
    rng = np.random.default_rng(0)
    for split, count in (("train", 100), ("test", 2)):
        for channel, name in enumerate(reversed(CLASSES)):
            folder = pictures / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 200, (32, 32, 3), dtype=np.uint8)
                pixels[..., channel] += 55
                Image.fromarray(pixels).save(folder / f"{index}.png")
    spec = DataSpec(source=f"imagefolder:{pictures}", train_size=90, val_size=180)
    run = RunFolder(root / "run")
    (run.root / CHECKPOINT).mkdir(parents=True)
    data = load_training(spec)
    told: list[dict[str, Any]] = []

    def report(metrics, make_checkpoint):
        told.append(metrics)
        make_checkpoint().save(run.root / CHECKPOINT)

    torch.set_num_threads(1)
    config = replace(CONFIG, weights=weights)
    fine_tune(
        config,
        TrialData(train=data.train, val=data.val, data_seed=0),
        report,
        device=torch.device("cpu"),
    )
    write_json(
        run.experiment,
        {
            "format_version": 1,
            "name": "colours",
            "space": "core",
            "seed": 0,
            "data": spec.to_dict(),
            "data_fingerprint": "train 3f1c val 9a04",
            "class_names": list(CLASSES),
            "git_commit": "8d2c41f0",
            "versions": {"torch": torch.__version__},
        },
    )
    write_json(
        run.best,
        {
            "trial": 2,
            "epoch": 1,
            "config": config.to_dict(),
            "checkpoint": CHECKPOINT,
            "val_macro_f1": told[-1]["val_macro_f1"],
            "val_accuracy": told[-1]["val_accuracy"],
        },
    )
    return run
