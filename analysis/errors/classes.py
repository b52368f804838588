"""How well is each class recognised, which stand apart from the mean, and which are confused?

Which classes are rigid and which organic is as a run says, or as is known of CIFAR-10's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.statistics import metrics
from analysis.statistics.intervals import Estimate, percentile_interval, proportion
from analysis.statistics.metrics import MOST_SHOWN, FloatArray, IntArray, most_confused, ratio
from trainables.classes import CIFAR10_CLASSES, ORGANIC, listed

NUM_PAIRS = 10


def confused_pairs(
    confusion: IntArray, class_names: tuple[str, ...], num_pairs: int = NUM_PAIRS
) -> list[dict[str, Any]]:
    """The largest off-diagonal counts, largest first; ties in the order of the classes.

    Each has its share of the true class with a Wilson interval, and the count of the reverse
    direction, so that a one-way confusion is told from a mutual one.
    """
    errors = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    largest = np.argsort(-errors, axis=None, kind="stable")[:num_pairs]
    cells = [divmod(int(cell), len(confusion)) for cell in largest]
    return [
        {
            "true": class_names[true],
            "predicted": class_names[predicted],
            "count": int(errors[true, predicted]),
            "num_images": int(confusion[true].sum()),
            "share": proportion(int(errors[true, predicted]), int(confusion[true].sum())).to_dict(),
            "reverse_count": int(errors[predicted, true]),
        }
        for true, predicted in cells
        if errors[true, predicted] > 0
    ]


def confusion_section(confusion: IntArray, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Counts and row shares, row = true class; shares of a class without images are NaN.

    "class_names", "counts" and "shares" are of the classes shown: of more than 40 those with the
    most errors. All else is of all classes.
    """
    errors = int(confusion.sum() - np.trace(confusion))
    shown = most_confused(confusion)
    shares = ratio(confusion, confusion.sum(axis=1, keepdims=True))
    return {
        "num_classes": len(class_names),
        "class_names": [class_names[k] for k in shown],
        "counts": confusion[np.ix_(shown, shown)].tolist(),
        "shares": shares[np.ix_(shown, shown)].tolist(),
        "num_images": int(confusion.sum()),
        "num_errors": errors,
        "pairs": confused_pairs(confusion, class_names),
    }


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """Names of rigid and of organic classes; both empty where nobody said which are which."""

    rigid: frozenset[str] = frozenset()
    organic: frozenset[str] = frozenset()

    @classmethod
    def of_run(cls, settings: Mapping[str, Any], class_names: tuple[str, ...]) -> "Kinds":
        """From a run's settings `organic` and `rigid`.

        Without `organic`, CIFAR-10's where the classes are CIFAR-10's ten, else none. Without
        `rigid`, all classes that are not organic.
        """
        organic = listed(settings.get("organic", ""))
        if not organic and set(class_names) == set(CIFAR10_CLASSES):
            organic = ORGANIC
        others = tuple(name for name in class_names if name not in organic) if organic else ()
        rigid = listed(settings.get("rigid", "")) or others
        return cls(rigid=frozenset(rigid), organic=frozenset(organic))

    def of(self, name: str) -> str | None:
        """ "rigid", "organic", or None for a class of which nothing is said."""
        if name in self.rigid:
            return "rigid"
        return "organic" if name in self.organic else None

    @property
    def untested(self) -> str | None:
        """Why the two cannot be held against each other; None where they can."""
        if not self.organic:
            return "the run does not say which classes are organic (--organic of search.run)"
        return None if self.rigid else "every class is said to be organic"


def per_class_section(
    confusion: IntArray, class_names: tuple[str, ...], kinds: Kinds, f1_samples: FloatArray
) -> dict[str, Any]:
    """Precision, recall (Wilson intervals) and F1 (stratified bootstrap) of every class.

    The intervals hold for one class at a time; none is corrected for the number of classes.

    Args:
        confusion: counts, shape (K, K).
        class_names: K names.
        kinds: which of them are rigid and which organic.
        f1_samples: bootstrap values of each class' F1, shape (R, K).
    """
    f1_intervals = percentile_interval(f1_samples)
    f1_values = metrics.f1(confusion)
    right = metrics.true_positives(confusion)
    num_images, num_predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    classes = [
        {
            "name": name,
            "kind": kinds.of(name),
            "num_images": int(num_images[k]),
            "num_predicted": int(num_predicted[k]),
            "precision": proportion(int(right[k]), int(num_predicted[k])).to_dict(),
            "recall": proportion(int(right[k]), int(num_images[k])).to_dict(),
            "f1": Estimate(
                value=float(f1_values[k]),
                lower=float(f1_intervals[0, k]),
                upper=float(f1_intervals[1, k]),
            ).to_dict(),
        }
        for k, name in enumerate(class_names)
    ]
    return {
        "macro_f1": float(metrics.macro_f1(confusion)),
        "num_images": int(confusion.sum()),
        "absent": [c["name"] for c in classes if c["num_images"] == 0],
        "classes": classes,
    }


def weakest(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a page shows of "classes": all up to 40; of more, those of lowest F1, lowest first."""
    if len(classes) <= MOST_SHOWN:
        return classes
    return sorted(classes, key=lambda row: row["f1"]["value"] or 0.0)[:MOST_SHOWN]
