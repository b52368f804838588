"""A labelled set of RGB pictures, checked once when it is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trainables.errors import refuse


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSet:
    """Pictures, their labels and the names of the classes; raises UserError with all faults.

    The arrays are made contiguous; a set is shared by many workers and must not be edited.

    Attributes:
        images: uint8 of shape (N, S, S, 3), RGB, S the side in px.
        labels: int64 of shape (N,), an index into `class_names`.
        class_names: K distinct names, in the order of the labels.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())
        object.__setattr__(self, "images", np.ascontiguousarray(self.images))
        object.__setattr__(self, "labels", np.ascontiguousarray(self.labels))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def side_px(self) -> int:
        return int(self.images.shape[1])

    @cached_property
    def class_counts(self) -> npt.NDArray[np.int64]:
        """Pictures of each class, int64 of shape (K,)."""
        return np.bincount(self.labels, minlength=len(self.class_names))

    def select(self, indices: npt.NDArray[np.integer]) -> "ImageSet":
        """The pictures at `indices`, in that order; the class names stay."""
        return ImageSet(
            images=self.images[indices], labels=self.labels[indices], class_names=self.class_names
        )

    def _faults(self) -> Iterator[str]:
        images, labels, names = self.images, self.labels, self.class_names
        if images.dtype != np.uint8:
            yield f"images have dtype {images.dtype}; allowed: uint8; scale to 0..255 and convert"
        if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[-1] != 3:
            yield f"images have shape {images.shape}; allowed: (N, S, S, 3); convert to square RGB"
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            yield (
                f"labels have dtype {labels.dtype} and shape {labels.shape}; "
                f"allowed: int64 and {images.shape[:1]}; give one class index a picture"
            )
        elif len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
            yield (
                f"labels run from {labels.min()} to {labels.max()}; "
                f"allowed: 0 to {len(names) - 1} for {len(names)} class names; encode them again"
            )
        if not names or len(set(names)) != len(names):
            yield f"class_names is {names!r}; allowed: distinct names, one or more; rename them"
