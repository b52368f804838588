"""Class weights of the cross-entropy: balanced, or more for some classes (deck B)."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from trainables.classes import organic_mask
from trainables.errors import UserError


def class_weights(
    kind: str,
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    organic: Collection[str],
    deformable_factor: float,
    pair: tuple[int, int] | None,
    pair_factor: float,
) -> NDArray[np.float32] | None:
    """The weight of each class in the training loss.

    none        no weights at all
    balanced    N / (classes that occur * pictures of the class), so that every class weighs the
                same; a class without pictures weighs 0 and is held up by nothing, label smoothing
                included (King and Zeng 2001, as in scikit-learn)
    deformable  `deformable_factor` for the organic classes, 1 for all others
    pair        `pair_factor` for the two classes of a pair, 1 for all others

    Balanced weights average to 1 over the pictures, the last two do not: a loss that divides by
    the number of pictures, not by the sum of their weights, grows with the factor.

    Args:
        kind: "none", "balanced", "deformable" or "pair".
        labels: int64 (N,), of the training pictures.
        class_names: K names.
        organic: names of the organic classes.
        deformable_factor: of these.
        pair: positions of the pair's classes; wanted by "pair".
        pair_factor: of the pair's classes.

    Returns:
        float32 (K,), or None for "none".

    Raises:
        UserError: "deformable" where no class is organic.
    """
    match kind:
        case "none":
            return None
        case "balanced":
            weights = np.zeros(len(class_names), np.float32)
            present = np.unique(labels)
            weights[present] = compute_class_weight("balanced", classes=present, y=labels)
            return weights
        case "deformable":
            is_organic = organic_mask(class_names, organic)
            if not is_organic.any():
                raise UserError(
                    f"class_weights is 'deformable' for classes {', '.join(class_names)}; allowed: "
                    f"data with at least one of {', '.join(organic)}; choose 'balanced' or 'none'"
                )
            return np.where(is_organic, deformable_factor, 1.0).astype(np.float32)
        case "pair":
            assert pair is not None, "the configuration has checked it"
            weights = np.ones(len(class_names), np.float32)
            weights[[*pair]] = pair_factor
            return weights
    raise ValueError(f"kind is {kind!r}; allowed: none, balanced, deformable, pair")
