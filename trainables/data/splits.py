"""Stratified training and validation parts of one pool."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trainables.errors import refuse

MIN_PER_CLASS = 2  # in each part: one picture of a class can be neither learned nor measured
NUM_CLASSES = (2, 1_000)  # beyond, no confusion matrix of an epoch fits a report


def split_indices(
    labels: npt.NDArray[np.generic], *, train_size: int, val_size: int, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draw two disjoint parts in which every class keeps its share of the pool.

    A class's count in the training part is within one picture of its exact share of the pool, in
    the validation part within one of its exact share of what training left. The same arguments
    give the same indices on every machine.

    Args:
        labels: the class of each picture, shape (N,); text or indices, faults show them.
        train_size: pictures in the training part.
        val_size: pictures in the validation part.
        seed: of the draw.

    Returns:
        Indices into `labels`, of shapes (train_size,) and (val_size,), in shuffled order.

    Raises:
        UserError: with all faults, when the pool is too small or a class too rare.
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    refuse(pool_faults(labels, train_size=train_size, val_size=val_size))
    classes = np.unique(labels)
    splitter = StratifiedShuffleSplit(
        n_splits=1, train_size=train_size, test_size=val_size, random_state=seed
    )
    train, val = next(splitter.split(np.zeros((len(labels), 1)), labels))
    refuse(_part_faults(classes, {"train_size": labels[train], "val_size": labels[val]}))
    return train, val


def pool_faults(
    labels: npt.NDArray[np.generic], *, train_size: int, val_size: int
) -> Iterator[str]:
    """What no draw of these sizes could satisfy; arguments as in `split_indices`."""
    classes, counts = np.unique(labels, return_counts=True)
    sizes = {"train_size": train_size, "val_size": val_size}
    fewest, most = NUM_CLASSES
    if not fewest <= len(classes) <= most:
        yield (
            f"the training pool holds {len(classes):,} class{'es' if len(classes) > 1 else ''} "
            f"({', '.join(map(str, classes[:5]))}); allowed: {fewest} to {most:,}; add or remove "
            "class folders"
        )
    if sum(sizes.values()) > counts.sum():
        wanted = " + ".join(f"{name} {size:,}" for name, size in sizes.items())
        yield (
            f"{wanted} is {sum(sizes.values()):,} pictures; allowed: at most the "
            f"{counts.sum():,} of the training pool; lower one of the two"
        )
    for name, size in sizes.items():
        if size < MIN_PER_CLASS * len(classes):
            yield (
                f"{name} is {size}; allowed: at least {MIN_PER_CLASS * len(classes)}, "
                f"{MIN_PER_CLASS} for each of the {len(classes)} classes; raise it"
            )
    for label, count in zip(classes, counts, strict=True):
        if count < MIN_PER_CLASS * len(sizes):
            yield (
                f"class {label} has {count} pictures in the training pool; allowed: at least "
                f"{MIN_PER_CLASS * len(sizes)}, {MIN_PER_CLASS} for each part; add pictures or "
                "remove the class"
            )


def _part_faults(
    classes: npt.NDArray[np.generic], parts: dict[str, npt.NDArray[np.generic]]
) -> Iterator[str]:
    """What this draw left too thin."""
    for name, labels in parts.items():
        for label in classes:
            count = np.count_nonzero(labels == label)
            if count < MIN_PER_CLASS:
                yield (
                    f"{name} {len(labels)} holds {count} pictures of class {label}; allowed: at "
                    f"least {MIN_PER_CLASS}; raise {name} or add pictures of the class"
                )
