"""Where ASHA's rungs lie, in epochs of phase 2; without Ray, so that a dry run can say it.

Rungs are `reduction_factor` times apart, from `grace_epochs` on, as in Ray's ASHA.
"""

import math

import numpy as np

from search.settings.settings import Settings


def rung_positions(
    *, grace_epochs: int, reduction_factor: float, max_epochs: int
) -> tuple[float, ...]:
    """The rungs in phase-2 epochs, first to last: grace x eta^k up to `max_epochs`.

    A position need not be whole: a report is judged there from the next epoch on.
    """
    longest = max(max_epochs, grace_epochs)
    count = int(np.log(longest / grace_epochs) / np.log(reduction_factor) + 1)
    return tuple(grace_epochs * reduction_factor**k for k in range(count))


def stopping_epochs(settings: Settings) -> list[int]:
    """The phase-2 epochs after which ASHA may stop a trial: a last report never does."""
    positions = rung_positions(
        grace_epochs=settings.grace_epochs,
        reduction_factor=settings.reduction_factor,
        max_epochs=settings.finetune_epochs,
    )
    epochs = {math.ceil(position) for position in positions}
    return sorted(epoch for epoch in epochs if epoch < settings.finetune_epochs)
