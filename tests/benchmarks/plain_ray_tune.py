"""The same search as Ray's documentation teaches it: the baseline of `whole_search`.

A Tune trial that starts a Ray Train run of its own; each loads the data, feeds itself from a
DataLoader (Albumentations at the network's resolution), computes all its features and saves a
checkpoint an epoch. Model, optimiser, schedule, precision and memory format are this project's, so
that the two differ in how the work is organised and in nothing that is learnt.

    python -m tests.benchmarks.plain_ray_tune SETTINGS.json RESULT.json
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # no look at the package index on import

import albumentations as A
import cv2
import optuna
import ray
import torch
from albumentations.pytorch import ToTensorV2
from ray import train, tune
from ray.train.torch import TorchTrainer, get_device
from ray.tune.integration.ray_train import TuneReportCallback
from ray.tune.schedulers import ASHAScheduler
from sklearn.metrics import f1_score
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from spaces.registry import load_space
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.models.network import FineTuneModel, build_model, set_trainable
from trainables.models.resize import PREPROCESSING
from trainables.training.augment import SHIFT, QuickAffine
from trainables.training.optimizers import build_optimizer, build_schedule

KERNELS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


class Augmented(Dataset):
    """Pictures as the network wants them, one at a time."""

    def __init__(self, pictures: ImageSet, config: FineTuneConfig, *, is_training: bool) -> None:
        assert config.augmentation == "standard"
        self.pictures = pictures
        side = config.resolution_px
        augment = [
            A.HorizontalFlip(p=0.5),
            QuickAffine(shift=SHIFT, degrees=10.0, scale=(0.9, 1.1), p=0.9),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.5),
        ]
        normalisation = PREPROCESSING[config.preprocessing]
        self.transform = A.Compose(
            [
                A.Resize(side, side, interpolation=KERNELS[config.interpolation]),
                *(augment if is_training else []),
                A.Normalize(normalisation.mean, normalisation.std, max_pixel_value=255.0),
                ToTensorV2(),
            ]
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = self.transform(image=self.pictures.images[index])["image"]
        return image, int(self.pictures.labels[index])


def train_loop(loop: dict[str, Any]) -> None:
    """One trial in a Ray Train worker."""
    config = FineTuneConfig.from_dict(loop["config"])
    device = get_device()
    torch.manual_seed(config.seed)
    loaded = load_training(DataSpec.from_dict(loop["data"]))
    training = DataLoader(
        Augmented(loaded.train, config, is_training=True),
        config.batch_size,
        shuffle=True,
        drop_last=True,
    )
    validation = DataLoader(Augmented(loaded.val, config, is_training=False), 256)
    model = build_model(config, len(loaded.train.class_names)).to(device)
    model = model.to(memory_format=torch.channels_last)
    cutmix = v2.CutMix(alpha=config.cutmix_alpha, num_classes=len(loaded.train.class_names))
    for phase, num_epochs in ((1, config.head_epochs), (2, config.finetune_epochs)):
        set_trainable(model, config.unfreeze if phase == 2 else None)
        optimizer = build_optimizer(model, config)
        schedule = build_schedule(optimizer, config, num_epochs * len(training))
        for epoch in range(1, num_epochs + 1):
            model.train()
            for images, labels in training:
                images = images.to(device, memory_format=torch.channels_last)
                labels = labels.to(device)
                if torch.rand(()) < config.cutmix_probability:
                    images, labels = cutmix(images, labels)
                loss = F.cross_entropy(predict(model, images, config), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            metrics = evaluate(model, validation, config, device)
            metrics |= {"phase": phase} | ({"phase2_epoch": epoch} if phase == 2 else {})
            with tempfile.TemporaryDirectory() as folder:
                torch.save(model.state_dict(), Path(folder) / "model.pt")
                train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder))


def predict(model: FineTuneModel, images: torch.Tensor, config: FineTuneConfig) -> torch.Tensor:
    with torch.autocast(images.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        logits: torch.Tensor = model(images)
    return logits.float()


@torch.no_grad()
def evaluate(
    model: FineTuneModel, validation: DataLoader, config: FineTuneConfig, device: torch.device
) -> dict[str, Any]:
    model.eval()
    predicted, true = [], []
    for images, labels in validation:
        images = images.to(device, memory_format=torch.channels_last)
        predicted += predict(model, images, config).argmax(dim=1).tolist()
        true += labels.tolist()
    return {"val_macro_f1": float(f1_score(true, predicted, average="macro"))}


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    base = FineTuneConfig.from_dict(settings["base"])
    space = load_space(settings["space"])
    study = optuna.create_study()
    configs = [space(study.ask(), base).to_dict() for _ in range(settings["num_trials"])]
    storage = settings["storage"]

    def trial(drawn: dict[str, Any]) -> None:
        name = f"train-{tune.get_context().get_trial_id()}"
        TorchTrainer(
            train_loop,
            train_loop_config={"config": drawn["config"], "data": settings["data"]},
            scaling_config=train.ScalingConfig(num_workers=1, resources_per_worker={"CPU": 0.9}),
            run_config=train.RunConfig(
                name=name,
                storage_path=storage,
                callbacks=[TuneReportCallback()],
                checkpoint_config=train.CheckpointConfig(num_to_keep=1),
            ),
        ).fit()

    ray.init(address="local", log_to_driver=False)
    started = time.time()
    results = tune.Tuner(
        tune.with_resources(trial, {"CPU": 0.05}),
        param_space={"config": tune.grid_search(configs)},
        tune_config=tune.TuneConfig(
            metric="val_macro_f1",
            mode="max",
            max_concurrent_trials=settings["max_concurrent"],
            scheduler=ASHAScheduler(
                time_attr="phase2_epoch",
                max_t=base.finetune_epochs + 1,
                grace_period=1,
                reduction_factor=3,
            ),
        ),
        run_config=tune.RunConfig(name="plain", storage_path=storage, verbose=1),
    ).fit()
    trials = []
    for result in results:
        table = result.metrics_dataframe
        values = [] if table is None else table["val_macro_f1"].tolist()
        trials.append(
            {
                "number": configs.index(result.config["config"]),
                "val_macro_f1": values,
                "error": None if result.error is None else str(result.error),
            }
        )
    Path(sys.argv[2]).write_text(
        json.dumps({"trials": trials, "fit_seconds": time.time() - started})
    )


if __name__ == "__main__":
    main()
