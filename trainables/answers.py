"""What a classifier's logits say of each picture, in words and probabilities."""

from typing import Any

import numpy as np
import numpy.typing as npt


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities (N, K) of logits (N, K); rows sum to one."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def answers(
    logits: npt.NDArray[np.float32], class_names: tuple[str, ...], *, top: int
) -> list[dict[str, Any]]:
    """For each row: its class, that class's probability, and the `top` likeliest, best first.

    The probabilities are the network's own. They are not calibrated.
    """
    told = []
    for row in softmax(logits):
        ranked = [
            {"class": class_names[index], "probability": float(row[index])}
            for index in np.argsort(-row, kind="stable")[:top]
        ]
        told.append({**ranked[0], "top": ranked})
    return told
