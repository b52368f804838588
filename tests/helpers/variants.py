"""A table of variants from shares, without a model: who is right, and taken for what otherwise.

Confusion matrices whose errors are quasi-independent by construction.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from analysis.perturbations.variants import NO_DONOR, Variants
from analysis.statistics.metrics import IntArray

NAMES = ("airplane", "automobile", "bird", "cat", "dog", "frog", "ship", "truck")
Answer = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def right_with(chances: Mapping[str, float], otherwise: float = 0.9) -> Answer:
    """The label with a chance by class, else the next class."""

    def answer(labels, donors, rng):
        chance = np.array([chances.get(NAMES[k], otherwise) for k in labels])
        return np.where(rng.random(len(labels)) < chance, labels, (labels + 1) % len(NAMES))

    return answer


def pulled_to(name: str, share: float, base: Answer) -> Answer:
    """A share of the pictures whose donor is of a class (no donor: of all) is taken for it."""
    k = NAMES.index(name)

    def answer(labels, donors, rng):
        lent = (donors == k) | (donors == NO_DONOR)
        return np.where(lent & (rng.random(len(labels)) < share), k, base(labels, donors, rng))

    return answer


def make_variants(
    answers: Mapping[str, Answer], *, images_per_class: int = 120, num_draws: int = 3, seed: int = 0
) -> Variants:
    """Rows for "original" and each variant; swaps get donors of the own or of another class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(NAMES)), images_per_class)
    frames = []
    for variant, answer in {"original": right_with({}), **answers}.items():
        for draw in range(num_draws if variant.startswith(("ellipse", "rim", "frame")) else 1):
            donors = np.full(len(labels), NO_DONOR)
            if variant.endswith(("same", "placebo")):
                donors = labels.copy()
            elif variant.endswith("_other"):
                donors = (labels + rng.integers(1, len(NAMES), len(labels))) % len(NAMES)
            predictions = answer(labels, donors, rng)
            logits = rng.normal(size=(len(labels), len(NAMES)))
            logits[np.arange(len(labels)), predictions] += 10
            frames.append(
                pd.DataFrame(
                    {
                        "index": np.arange(len(labels)) * 2,
                        "label": labels,
                        "variant": variant,
                        "draw": draw,
                        "donor_label": donors,
                        **{f"logit/{name}": logits[:, k] for k, name in enumerate(NAMES)},
                    }
                )
            )
    return Variants(table=pd.concat(frames, ignore_index=True), class_names=NAMES, record={})


def null_table(
    rng: np.random.Generator, num_errors: float, *, num_classes: int = 10, class_size: int = 1000
) -> IntArray:
    """Poisson errors around the product of a rate of each true and of each predicted class."""
    rates = np.exp(rng.normal(0, 0.5, (2, num_classes)))
    means = np.where(np.eye(num_classes, dtype=bool), 0, np.outer(*rates))
    table = rng.poisson(means * num_errors / means.sum())
    np.fill_diagonal(table, np.maximum(class_size - table.sum(axis=1), 0))
    return table
