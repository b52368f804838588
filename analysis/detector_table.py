"""The report's table of how good the detectors are, from the scores that ship with the release."""

from typing import Any


def detector_section(scores: dict[str, Any] | None) -> dict[str, Any]:
    """What the page shows of the validation; `scores` is what `load_scores` reads.

    Keys: `validated`, and if so `command`, `created`, `num_biased`, `num_clean`,
    `images_per_class`, `reliant`, `free`, `detectors` (name -> counts, shares with intervals,
    `misses`, `by_strength`).
    """
    if scores is None:
        return {"validated": False}
    shown = ("command", "created", "num_biased", "num_clean", "images_per_class", "train_size")
    return {
        "validated": True,
        **{name: scores[name] for name in (*shown, "reliant", "free", "versions", "detectors")},
    }
