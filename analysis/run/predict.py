"""Logits of the selected checkpoint on a set of images, and of freshly trained models on the test.

The fresh models are of one configuration, each trained with a fresh seed. `search.confirm` keeps
the checkpoint of each training of the configuration that it takes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from analysis.run.reader import Run
from analysis.statistics.metrics import IntArray
from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.models.checkpoints import TrainedModel, load_trained
from trainables.storage.files import write_parquet

SECONDS_BETWEEN_LINES = 5.0
FEWEST = 2  # models that can be compared


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


@dataclass(frozen=True, kw_only=True, eq=False)
class FreshAnswers:
    """The answers, or why there are too few to compare.

    Attributes:
        trial: of the search, whose configuration was trained again; None where there is none.
        seeds: of the models that answered, S of them.
        predictions: classes of the test's pictures, S arrays of shape (N,).
        reason: why nothing is compared, in a clause; None where two or more answered.
    """

    trial: int | None = None
    seeds: tuple[int, ...] = ()
    predictions: tuple[IntArray, ...] = field(default=())
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"trial": self.trial, "seeds": list(self.seeds), "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class FreshCheckpoints:
    """Checkpoints to ask, and why they are too few (None where they are not)."""

    trial: int | None
    folders: dict[int, Path]  # by seed
    reason: str | None


def fresh_checkpoints(run: Run) -> FreshCheckpoints:
    """The readable checkpoints that the run's confirmation has kept.

    Raises:
        UserError: one is damaged, or of other classes.
    """
    if run.confirmation is None:
        return _none(f"the run was not confirmed; `python -m search.confirm {run.path}` does it")
    trial = run.confirmation["winner"]
    if trial is None:
        return _none("no configuration came through all fresh seeds")
    named = run.confirmation.get("checkpoints", [])
    if not named:
        return _none("the confirmation is of a release that kept no checkpoints")
    folders = {entry["seed"]: run.path / entry["path"] for entry in named}
    outside = [path for path in folders.values() if not _is_inside(path, run.path)]
    if outside:
        raise UserError(
            f"a checkpoint in confirm.json is {str(outside[0])!r}; allowed: a path inside the run "
            "folder; restore the file that search.confirm wrote"
        )
    there = {seed: path for seed, path in folders.items() if path.is_dir()}
    for path in there.values():
        load_for(path, run.class_names)
    few = f"of the {len(folders)} checkpoints that the confirmation kept {len(there)} are there"
    return FreshCheckpoints(trial=trial, folders=there, reason=few if len(there) < FEWEST else None)


def ask_fresh(
    found: FreshCheckpoints, run: Run, test: ImageSet, *, device: str, batch_size: int
) -> FreshAnswers:
    """Their predictions on the untouched pictures; one model in memory at a time."""
    if found.reason:
        return FreshAnswers(trial=found.trial, reason=found.reason)
    predictions = []
    for seed, path in found.folders.items():
        print(f"fresh seed   {seed}", flush=True)
        model = load_for(path, run.class_names)
        try:
            logits = predict(model, test, device=device, batch_size=batch_size)
        except NotTestable as fault:
            return FreshAnswers(trial=found.trial, reason=f"with seed {seed} {fault.reason}")
        predictions.append(logits.argmax(axis=1))
    return FreshAnswers(
        trial=found.trial, seeds=tuple(found.folders), predictions=tuple(predictions)
    )


def _none(reason: str) -> FreshCheckpoints:
    return FreshCheckpoints(trial=None, folders={}, reason=reason)


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
