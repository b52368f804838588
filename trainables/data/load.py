"""From a `DataSpec` to pictures in memory; the one door to the sealed test split."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import LabelEncoder

from trainables.data.decode import decode
from trainables.data.images import ImageSet
from trainables.data.pool import Pool
from trainables.data.sources import open_source
from trainables.data.spec import DataSpec
from trainables.data.splits import split_indices
from trainables.errors import UserError, refuse
from trainables.storage import journal
from trainables.storage.layout import JOURNAL


@dataclass(frozen=True, kw_only=True)
class LoadedData:
    """What every trial of a search works on; the test split is not in it."""

    train: ImageSet
    val: ImageSet
    notes: tuple[str, ...]  # what was done to the pictures, for people to read


@dataclass(frozen=True, kw_only=True)
class Part:
    """One split and where a person finds each of its pictures."""

    images: ImageSet
    places: tuple[str, ...]


def load_training(spec: DataSpec) -> LoadedData:
    """The stratified training and validation parts; never opens the test split.

    Raises:
        UserError: with all faults of the source, the sizes or the pictures.
    """
    train, val, notes = _load_training_parts(spec, open_source(spec).training_pool())
    return LoadedData(train=train.images, val=val.images, notes=notes)


def open_sealed_test(spec: DataSpec, run_dir: Path, *, opened_by: str) -> ImageSet:
    """The whole test split, with the class indices of the training pool.

    The opening is journalled as `test_opened` before a picture is read, so that no look at the
    test goes uncounted, one that fails included.

    Args:
        spec: the run's data.
        run_dir: the run's folder; its journal.jsonl gets the event.
        opened_by: the command that looks.

    Raises:
        UserError: when the run folder is absent or the split cannot be read.
    """
    if not run_dir.is_dir():
        raise UserError(
            f"run folder is {run_dir}, which is not there; allowed: the folder of a run, whose "
            "journal records each opening of the test; name an existing one"
        )
    journal.append(run_dir / JOURNAL, "test_opened", by=opened_by, data=spec.to_dict())
    source = open_source(spec)
    encoder = fit_encoder(source.training_classes())
    test, _ = _load_test_part(spec, source.sealed_test(), encoder)
    return test.images


def load_for_audit(spec: DataSpec) -> tuple[dict[str, Part], tuple[str, ...]]:
    """All three splits by name, and notes; for the process of `trainables.data.audit` alone."""
    source = open_source(spec)
    pool = source.training_pool()
    train, val, training_notes = _load_training_parts(spec, pool)
    test, test_notes = _load_test_part(spec, source.sealed_test(), fit_encoder(pool.labels))
    return {"train": train, "val": val, "test": test}, (*training_notes, *test_notes)


def fingerprint(image_set: ImageSet) -> str:
    """SHA-256 over the shapes, pixels, labels and class names, as 64 hexadecimal digits."""
    layout = [image_set.images.shape, image_set.class_names]
    digest = hashlib.sha256(json.dumps(layout).encode())
    digest.update(image_set.images.data)
    digest.update(image_set.labels.astype("<i8").data)
    return digest.hexdigest()


def _load_training_parts(spec: DataSpec, pool: Pool) -> tuple[Part, Part, tuple[str, ...]]:
    train, val = split_indices(
        np.asarray(pool.labels), train_size=spec.train_size, val_size=spec.val_size, seed=spec.seed
    )
    both, notes = _load_part(spec, pool, np.concatenate([train, val]), fit_encoder(pool.labels))
    return (
        _cut(both, 0, len(train)),
        _cut(both, len(train), len(both.images)),
        (*pool.notes, *notes),
    )


def _load_test_part(
    spec: DataSpec, pool: Pool, encoder: LabelEncoder
) -> tuple[Part, tuple[str, ...]]:
    if not pool.labels:
        raise UserError(
            f"the test split of {spec.source} is empty; allowed: labelled pictures of the "
            "training classes; add some"
        )
    test, notes = _load_part(spec, pool, np.arange(len(pool.labels)), encoder)
    return test, (*(f"test: {note}" for note in notes), *missing_notes(encoder, pool.labels))


def _load_part(
    spec: DataSpec, pool: Pool, indices: npt.NDArray[np.int64], encoder: LabelEncoder
) -> tuple[Part, tuple[str, ...]]:
    labels = encode(encoder, [pool.labels[index] for index in indices])
    images, notes = decode(pool, indices, base_px=spec.base_px)
    part = Part(
        images=ImageSet(images=images, labels=labels, class_names=class_names(encoder)),
        places=tuple(pool.places[index] for index in indices),
    )
    return part, notes


def _cut(part: Part, start: int, stop: int) -> Part:
    return Part(images=part.images.select(np.arange(start, stop)), places=part.places[start:stop])


def fit_encoder(training_labels: Iterable[str]) -> LabelEncoder:
    """The encoder of the classes of the training pool; index 0 is the first by alphabet."""
    return LabelEncoder().fit(np.asarray(list(training_labels)))


def class_names(encoder: LabelEncoder) -> tuple[str, ...]:
    """The names in the order of the indices."""
    return tuple(str(name) for name in encoder.classes_)


def encode(encoder: LabelEncoder, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """The class index of each label, int64 of shape (N,).

    Raises:
        UserError: naming each class that the training pool lacks.
    """
    known = class_names(encoder)
    refuse(
        f"the test split has the class {name!r}, which the training pool lacks; allowed: "
        f"{', '.join(known)}; add training pictures of it or remove it from the test split"
        for name in sorted(set(labels) - set(known))
    )
    return encoder.transform(np.asarray(labels)).astype(np.int64)


def missing_notes(encoder: LabelEncoder, labels: Sequence[str]) -> tuple[str, ...]:
    """One note when the test split lacks classes that the training pool has."""
    missing = [name for name in class_names(encoder) if name not in set(labels)]
    if not missing:
        return ()
    return (f"the test split has no picture of {', '.join(missing)}: its scores say nothing there",)
