"""The selected checkpoint's logits on a set of images."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.models.checkpoints import TrainedModel, load_trained
from trainables.storage.files import write_parquet

SECONDS_BETWEEN_LINES = 5.0


class NotTestable(UserError):
    """A run has no checkpoint, or one whose answers are no numbers.

    Args:
        reason: a clause without a full stop, for the report; commands that must have answers print
            it as their error.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}; allowed: a checkpoint that answers with finite numbers; choose another run"
        )
        self.reason = reason


def choose_device(name: str) -> str:
    """ "cpu" or "cuda"; "auto" is the GPU when there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is 'cuda'; allowed: auto, cpu; this machine shows PyTorch no GPU")
    return name


def load_for(checkpoint: Path, class_names: tuple[str, ...]) -> TrainedModel:
    """Load a checkpoint and see that it knows the run's classes in the run's order."""
    trained = load_trained(checkpoint)
    if trained.class_names != class_names:
        raise UserError(
            f"classes of {checkpoint} are {', '.join(trained.class_names)}; allowed: those of the "
            f"run, {', '.join(class_names)}; restore the checkpoint that the search saved"
        )
    return trained


def predict(
    trained: TrainedModel, images: ImageSet, *, device: str, batch_size: int
) -> npt.NDArray[np.float32]:
    """Logits of every image, float32 of shape (N, K); progress goes to standard output.

    Raises:
        NotTestable: some are no finite numbers.
    """
    logits = trained.predict_logits(
        images.images,
        device=torch.device(device),
        batch_size=batch_size,
        progress=progress_lines(len(images)),
    )
    broken = int((~np.isfinite(logits)).any(axis=1).sum())
    if broken:
        raise NotTestable(
            f"the checkpoint's logits of {broken:,} of {len(images):,} images are not finite"
        )
    return logits


def progress_lines(total: int) -> Callable[[int], None]:
    """A callback that prints a line every few seconds and one at the end."""
    start = last = time.monotonic()

    def report(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= SECONDS_BETWEEN_LINES:
            last = now
            rate = done / max(now - start, 1e-9)
            print(f"predicted {done:>7,} of {total:,} images  {rate:>8,.0f} images/s", flush=True)

    return report


def save_predictions(path: Path, images: ImageSet, logits: npt.NDArray[np.float32]) -> None:
    """One row an image: `index` in the test split, `label`, and a column `logit/CLASS` a class."""
    columns = {f"logit/{name}": logits[:, k] for k, name in enumerate(images.class_names)}
    table = pd.DataFrame({"index": np.arange(len(images)), "label": images.labels, **columns})
    write_parquet(path, table)
