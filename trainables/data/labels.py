"""Text labels to int64 class indices."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import LabelEncoder

from trainables.errors import refuse


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
