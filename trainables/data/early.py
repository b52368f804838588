"""What shows of a run's data in a moment: without PyTorch, and without decoding a picture."""

import numpy as np

from trainables.classes import CIFAR10_CLASSES
from trainables.data.sources import open_source
from trainables.data.spec import DataSpec
from trainables.data.splits import pool_faults
from trainables.errors import refuse

CIFAR10_PER_CLASS = 5_000  # training pictures


def check_early(spec: DataSpec, *, with_test: bool = True) -> tuple[str, ...]:
    """Refuse what cannot be split; returns the classes, none where they show only later.

    Args:
        spec: of the data.
        with_test: whether there has to be a test split.

    Raises:
        UserError: with all faults of folders and files, or else of the counts.
    """
    if with_test and spec.source_name in ("imagefolder", "parquet"):
        refuse(f"--data: {fault}" for fault in open_source(spec).check())
    labels = _labels(spec)
    if labels is None:
        return ()
    found = np.asarray(labels)
    refuse(
        f"--data {spec.source}: {fault}"
        for fault in pool_faults(found, train_size=spec.train_size, val_size=spec.val_size)
    )
    return tuple(str(name) for name in np.unique(found))


def _labels(spec: DataSpec) -> list[str] | None:
    """The label of every picture of the training pool; None where that wants the pictures."""
    match spec.source_name:
        case "imagefolder":
            return list(open_source(spec).training_pool().labels)
        case "cifar10":
            return [*CIFAR10_CLASSES] * CIFAR10_PER_CLASS
        case "synthetic":  # every ten pictures hold each class once
            count = spec.train_size + spec.val_size
            return [CIFAR10_CLASSES[i % len(CIFAR10_CLASSES)] for i in range(count)]
    return None
