"""How well is each class recognised, and which stand apart from the mean?"""

from typing import Any

from analysis.kinds import Kinds
from analysis.statistics import metrics
from analysis.statistics.intervals import Estimate, percentile_interval, proportion
from analysis.statistics.metrics import MOST_SHOWN, FloatArray, IntArray


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
