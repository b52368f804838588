"""How well is each class recognised, and which stand apart from the mean?"""

from typing import Any

from analysis import metrics
from analysis.metrics import FloatArray, IntArray
from analysis.statistics import Estimate, percentile_interval, proportion
from trainables.data.classes import CIFAR10_CLASSES, RIGID


def kinds_of(class_names: tuple[str, ...]) -> list[str | None]:
    """ "rigid" or "organic" for CIFAR-10's classes; None for those of any other data set."""
    if set(class_names) != set(CIFAR10_CLASSES):
        return [None] * len(class_names)
    return ["rigid" if name in RIGID else "organic" for name in class_names]


def per_class_section(
    confusion: IntArray, class_names: tuple[str, ...], f1_samples: FloatArray
) -> dict[str, Any]:
    """Precision, recall (Wilson intervals) and F1 (stratified bootstrap) of every class.

    The intervals hold for one class at a time; none is corrected for the number of classes.

    Args:
        confusion: counts, shape (K, K).
        class_names: K names.
        f1_samples: bootstrap values of each class' F1, shape (R, K).
    """
    f1_intervals = percentile_interval(f1_samples)
    f1_values = metrics.f1(confusion)
    right = metrics.true_positives(confusion)
    num_images, num_predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    classes = [
        {
            "name": name,
            "kind": kind,
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
        for k, (name, kind) in enumerate(zip(class_names, kinds_of(class_names), strict=True))
    ]
    return {
        "macro_f1": float(metrics.macro_f1(confusion)),
        "num_images": int(confusion.sum()),
        "absent": [c["name"] for c in classes if c["num_images"] == 0],
        "classes": classes,
    }
