"""Is the winner better on the pictures that it was trained on than on others?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.statistics.claims import Assertion, Claim, detectable_above, standard_error, verdict
from analysis.statistics.intervals import CONFIDENCE, Estimate, proportion
from analysis.statistics.quasi_independence import BoolArray

MIN_GAP = 0.05  # of accuracy
MIN_IMAGES = 100
MIN_EPOCHS = 3  # a slope of fewer has no interval
CLAIM = Assertion(
    claim="The winner overfits",
    rule=(
        f"CONFIRMED if the gap's interval lies above {MIN_GAP:g} and validation loss rises over "
        "the last third of the epochs (slope's interval above 0); REFUTED if it lies below "
        f"{MIN_GAP:g}"
    ),
    control="both accuracies in evaluation mode without augmentation; the trend of validation loss",
    section="overfitting",
)


def overfitting_section(
    train_right: BoolArray, val_right: BoolArray, val_loss: Sequence[float]
) -> dict[str, Any]:
    """The gap between training and validation accuracy of one checkpoint.

    Args:
        train_right: whether each of a fixed sample of training pictures is right, predicted in
            evaluation mode without augmentation, shape (N1,).
        val_right: likewise for validation pictures, shape (N2,).
        val_loss: the winner's validation loss (nats) of each epoch, oldest first.

    Returns:
        "gap" (estimate), "train" and "val" accuracies (Wilson), "loss_slope" (estimate, nats an
        epoch; None for fewer than three epochs), "num_train", "num_val", "untested", "claims".
    """
    counts = {"num_train": len(train_right), "num_val": len(val_right)}
    if (fewest := min(counts.values())) < MIN_IMAGES:
        reason = f"{fewest} images are too few; {MIN_IMAGES} are needed"
        claim = CLAIM.not_tested(reason)
        nothing = dict.fromkeys(("gap", "train", "val", "loss_slope"))
        return nothing | counts | {"untested": reason, "claims": [claim.to_dict()]}
    gap, slope = accuracy_gap(train_right, val_right), loss_slope(val_loss)
    return counts | {
        "gap": gap.to_dict(),
        "train": proportion(int(train_right.sum()), len(train_right)).to_dict(),
        "val": proportion(int(val_right.sum()), len(val_right)).to_dict(),
        "loss_slope": slope.to_dict() if slope else None,
        "untested": None,
        "claims": [overfitting_claim(gap, slope, sum(counts.values())).to_dict()],
    }


def accuracy_gap(train_right: BoolArray, val_right: BoolArray) -> Estimate:
    """Difference of two independent shares with Newcombe's interval (1998, method 10)."""
    lower, upper = confint_proportions_2indep(
        int(train_right.sum()),
        len(train_right),
        int(val_right.sum()),
        len(val_right),
        method="newcomb",
        alpha=1 - CONFIDENCE,
    )
    value = float(train_right.mean() - val_right.mean())
    return Estimate(value=value, lower=float(lower), upper=float(upper))


def loss_slope(val_loss: Sequence[float]) -> Estimate | None:
    """Least-squares slope over the last third of the epochs (at least three), with a t interval."""
    if len(val_loss) < MIN_EPOCHS:
        return None
    last = np.asarray(val_loss, np.float64)[-max(len(val_loss) // 3, MIN_EPOCHS) :]
    line = stats.linregress(np.arange(len(last)), last)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(last) - 2) * line.stderr
    return Estimate(
        value=float(line.slope), lower=float(line.slope - half), upper=float(line.slope + half)
    )


def overfitting_claim(gap: Estimate, slope: Estimate | None, num_images: int) -> Claim:
    """That the gap is large and validation loss is rising."""
    is_rising = slope is not None and slope.lower > 0
    word = verdict(gap, MIN_GAP, control_holds=is_rising)
    trend = "has too few epochs for a slope"
    if slope is not None:
        trend = (
            f"changes by {slope.value:+.4f} nats an epoch "
            f"({slope.lower:+.4f} to {slope.upper:+.4f}) at the end"
        )
    return CLAIM.tested(
        word,
        gap,
        num_images=num_images,
        detectable=detectable_above(MIN_GAP, standard_error(gap)),
        sentence=(
            f"Symptom: training pictures are right {100 * gap.value:+.1f} points more often than "
            f"validation pictures ({100 * gap.lower:+.1f} to {100 * gap.upper:+.1f}), both in "
            f"evaluation mode. Test: validation loss {trend}. Verdict: {word.lower()}."
        ),
    )
