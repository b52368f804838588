"""The checkpoints in a trial's folder: which one to go on from, and which ones to keep."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from trainables.errors import UserError
from trainables.models.checkpoints import Checkpoint, load_checkpoint

# The best ones. An epoch is saved before Tune hears of it, so the best that Tune knows of is among
# the best two.
KEPT_BEST = 2
KEPT_NEWEST = 2  # the last one, and the one to fall back on should it be damaged


def folder_name(epoch: int) -> str:
    """A checkpoint's folder under its trial's, sorted by epoch."""
    return f"checkpoint_{epoch:04d}"


def store(checkpoint: Checkpoint, folder: Path, epoch: int) -> None:
    """Write a checkpoint under its trial's folder, where it appears whole or not at all."""
    path = folder / folder_name(epoch)
    part = folder / f".{path.name}"
    for left in (part, path):  # by a writer that was killed; or damaged, and trained once more
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir()
    try:
        checkpoint.save(part)
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def newest_readable(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that is whole, and a line on each newer one that is not.

    A damaged disk leaves such a one; training goes on from the one before.
    """
    refused: list[str] = []
    for path in sorted(folder.glob("checkpoint_*/"), reverse=True):
        try:
            load_checkpoint(path)
        except UserError as error:
            refused.append(f"{path.name} is passed over: {error.faults[0]}")
        else:
            return path, refused
    return None, refused


def drop_old(folder: Path, values: Mapping[int, float]) -> None:
    """Delete all but the best few and the newest.

    Args:
        folder: of the trial.
        values: validation macro-F1 by epoch.
    """
    epochs = sorted(values)
    best = sorted(epochs, key=lambda epoch: (-values[epoch], epoch))[:KEPT_BEST]
    kept = {folder_name(epoch) for epoch in (*best, *epochs[-KEPT_NEWEST:])}
    for path in folder.glob("checkpoint_*/"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
