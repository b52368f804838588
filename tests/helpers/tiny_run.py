"""A run on disk whose checkpoints are real: trained for one epoch on twelve pictures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.helpers.fabricate import CHECKPOINT, edit_json, make_run
from trainables.config import FineTuneConfig
from trainables.data.load import fingerprint, load_training, open_sealed_test
from trainables.data.spec import DataSpec
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

CLASSES = ("blue", "green", "red")
CHANNEL = {"red": 0, "green": 1, "blue": 2}
CONFIG = FineTuneConfig(
    weights="none",
    resolution_px=32,
    interpolation="none",
    augmentation="none",
    head_epochs=1,
    finetune_epochs=0,
    batch_size=4,
)
FRESH_SEEDS = (1000, 1001)


def make_tiny_run(images: Path, folder: Path) -> Path:
    """The run in an empty `folder`; its pictures, 4 test ones a class, in an empty `images`."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 10), ("test", 4)):
        for name in CLASSES:
            (images / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 60, (32, 32, 3), dtype=np.uint8)
                pixels[..., CHANNEL[name]] += 180
                Image.fromarray(pixels).save(images / split / name / f"{index}.png")
    spec = DataSpec(source=f"imagefolder:{images}", train_size=12, val_size=6)
    run = make_run(folder, class_names=CLASSES, config=CONFIG, data=spec, num_openings=0)
    train(spec, CONFIG, run / CHECKPOINT)
    (run / "look").mkdir()
    test = open_sealed_test(spec, run / "look", opened_by="a test of the project")
    edit_json(run / "experiment.json", test_hash=fingerprint(test))
    return run


def train(spec: DataSpec, config: FineTuneConfig, folder: Path) -> None:
    """Leave the checkpoint of one epoch in a folder, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded = load_training(spec)
    torch.set_num_threads(1)
    fine_tune(
        config,
        TrialData(train=loaded.train, val=loaded.val, data_seed=spec.seed),
        lambda metrics, checkpoint: checkpoint().save(folder) if checkpoint else None,
        device=torch.device("cpu"),
    )


def confirm_tiny_run(run: Path) -> None:
    """Train trial 3's configuration with two fresh seeds; what the report reads of confirm.json."""
    spec = DataSpec.from_dict(json.loads((run / "experiment.json").read_text())["data"])
    paths = {s: f"confirm/trials/trial_{i:04d}/checkpoint_0001" for i, s in enumerate(FRESH_SEEDS)}
    for seed, path in paths.items():
        train(replace(spec, seed=seed), replace(CONFIG, seed=seed), run / path)
    row = {"trial": 3, "epoch": 1, "selected": 0.9, "figures": [0.8, 0.9], "mean": 0.85}
    row |= {"sd": 0.07, "seconds": 1.0, "out": None, "config": CONFIG.to_dict()}
    values = {
        "seeds": list(FRESH_SEEDS),
        "method": {"alpha": 0.05, "largest_bootstrap_coverage": 0.5, "seeds_for_bootstrap": 6},
        "configurations": [row],
        "comparisons": [],
        "tie_set": [3],
        "winner": 3,
        "verdict": "trial 3 is taken: there was no other configuration to compare it with",
        "optimism": None,
        "checkpoints": [{"seed": seed, "path": path} for seed, path in paths.items()],
    }
    (run / "confirm.json").write_text(json.dumps(values))
