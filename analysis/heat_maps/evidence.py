"""Evidence sheets: errors of a flagged pair, what speaks for them, and what a swap does to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.gallery import picture_entry
from analysis.heat_maps.checks import is_dead
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.picture_choice import (
    NUM_CONFIDENT,
    NUM_RANDOM,
    PairErrors,
    pair_errors,
    probabilities,
)

BELOW_STRONGEST = 0.99  # share of the cells; one extreme cell must not darken all other maps


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMaps:
    """Signed maps (M, g, g) of M pictures, for the logit predicted and that of the true class.

    Their difference is the map of "predicted rather than true", as all methods here are linear in
    the logit.
    """

    method: str
    place: str
    indices: IntArray  # (M,) positions in the test
    predicted: npt.NDArray[np.floating]
    true: npt.NDArray[np.floating]

    def __post_init__(self) -> None:
        if not len(self.indices) == len(self.predicted) == len(self.true):
            raise ValueError(
                f"lengths are {len(self.indices)}, {len(self.predicted)} and {len(self.true)}; "
                "allowed: one length"
            )

    @property
    def strongest(self) -> float:
        """The one scale of all maps, in logits: all but a few cells have less support than it."""
        support = np.maximum([self.predicted, self.true], 0.0)
        return float(np.quantile(support, BELOW_STRONGEST)) if support.size else 0.0


def choose_errors(
    labels: IntArray,
    logits: npt.NDArray[np.floating],
    pairs: Sequence[tuple[int, int]],
    *,
    seed: int,
) -> list[PairErrors]:
    """Up to eight errors of every (true, predicted) pair; pairs without errors are left out."""
    shares = probabilities(logits)
    chosen = (
        pair_errors(labels, shares, true, predicted, seed=seed)
        for true, predicted in pairs
        if true != predicted
    )
    return [errors for errors in chosen if errors.count]


def indices_of(chosen: Sequence[PairErrors]) -> IntArray:
    """Every picture that the sheets show, once, in order: those to explain and to swap."""
    shown = [indices for errors in chosen for indices in (errors.drawn, errors.surest)]
    return np.unique(np.concatenate(shown)) if shown else np.empty(0, np.int64)


def evidence_section(
    chosen: Sequence[PairErrors],
    labels: IntArray,
    logits: npt.NDArray[np.floating],
    class_names: tuple[str, ...],
    *,
    heat: HeatMaps,
    variant_logits: Mapping[str, npt.NDArray[np.floating]],
    seed: int,
) -> dict[str, Any]:
    """One sheet a pair, without pixels.

    Args:
        chosen: of `choose_errors`.
        labels: true classes of the whole test, (N,).
        logits: of the whole test, (N, K).
        class_names: K names.
        heat: maps of the pictures `indices_of(chosen)`.
        variant_logits: name of a swap -> logits (M, K) of the same M pictures once swapped.
        seed: that `choose_errors` had.
    """
    shares = probabilities(logits)
    swapped = {name: probabilities(values) for name, values in variant_logits.items()}
    places = {int(index): place for place, index in enumerate(heat.indices)}

    def entries(indices: IntArray, drawn_as: str) -> list[dict[str, Any]]:
        return [
            {
                **picture_entry(int(i), labels, shares, class_names),
                "chosen": drawn_as,
                "variants": [
                    _variant(name, shares[i], after[places[int(i)]], int(labels[i]), class_names)
                    for name, after in swapped.items()
                ],
            }
            for i in indices
        ]

    return {
        "seed": seed,
        "rule": {"random": NUM_RANDOM, "surest": NUM_CONFIDENT},
        "heat": {
            "method": heat.method,
            "place": heat.place,
            "grid": int(heat.predicted.shape[1]),
            "strongest": heat.strongest,
            "below_strongest": BELOW_STRONGEST,
            "num_pictures": len(heat.indices),
            "num_dead": int(is_dead(heat.predicted).sum()),
        },
        "variant_names": list(swapped),
        "sheets": [
            {
                "id": f"evidence-{errors.true}-{errors.predicted}",
                "true": class_names[errors.true],
                "predicted": class_names[errors.predicted],
                "count": errors.count,
                "pictures": entries(errors.drawn, "random") + entries(errors.surest, "surest"),
            }
            for errors in chosen
        ],
    }


def _variant(
    name: str, before: FloatArray, after: FloatArray, label: int, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """What a swap did to one picture; `change` is in the probability of the first prediction."""
    first, now = int(before.argmax()), int(after.argmax())
    return {
        "name": name,
        "prediction": class_names[now],
        "probability": float(after[now]),
        "changed": now != first,
        "right": now == label,
        "change": float(after[first] - before[first]),
    }
