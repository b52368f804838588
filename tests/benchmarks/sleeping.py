"""A trial that only sleeps; imported by its own process, so it imports little."""

import time
from typing import Any

import numpy as np
from ray import tune

from trainables.config import FineTuneConfig

NUM_CLASSES = 10


class SleepingTrial(tune.Trainable):
    """Sleeps through an epoch and reports one."""

    epoch_seconds = 1.0

    def setup(self, config: dict[str, Any], shared: Any) -> None:
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._rng = np.random.default_rng(new_config["number"])
        self._config = FineTuneConfig.from_dict(new_config["config"])
        self._worth, self._epoch = self._rng.normal(0.6, 0.1), 0
        return True

    def step(self) -> dict[str, Any]:
        time.sleep(self.epoch_seconds)
        self._epoch += 1
        told = report(self._config, self._epoch, self._worth, self._rng)
        return told | {"done": told["finished"]}


def report(
    config: FineTuneConfig, epoch: int, worth: float, rng: np.random.Generator
) -> dict[str, Any]:
    """An epoch's, of the size of a real one."""
    value = float(np.clip(worth + 0.02 * epoch + rng.normal(0, 0.01), 0, 1))
    clock = {"phase2_epoch": epoch - config.head_epochs} if epoch > config.head_epochs else {}
    return {
        **clock,
        "epoch": epoch,
        "phase": 2 if clock else 1,
        "train_loss": 1.0,
        "train_accuracy": value,
        "val_loss": 1.0,
        "val_accuracy": value,
        "val_macro_f1": value,
        "val_f1": {f"class {i}": value for i in range(NUM_CLASSES)},
        "val_confusion": rng.integers(0, 99, (NUM_CLASSES, NUM_CLASSES)).tolist(),
        "rate": {"head": 1e-3, "backbone": 1e-4},
        "images_per_second": 1000.0,
        "epoch_seconds": 1.0,
        "peak_memory_bytes": 10**9,
        "diverged": False,
        "finished": epoch == config.total_epochs,
    }
