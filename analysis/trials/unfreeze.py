"""Does accuracy jump where the backbone is unfrozen, and more than from one epoch to another?

At the unfreeze point the learning rates change too, so a jump alone coincides with unfreezing. The
placebos are the same test one epoch earlier and one later.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from analysis.statistics.claims import (
    Assertion,
    Claim,
    Word,
    detectable_above,
    standard_error,
    verdict,
)
from analysis.statistics.intervals import Estimate, estimate, resampled_sums
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA
from analysis.statistics.quasi_independence import BoolArray

MIN_JUMP = 0.01  # of accuracy; less is too little to matter
MIN_TRIALS = 6  # with five, the smallest two-sided p of the signed ranks is .0625
TREND_EPOCHS = 3  # phase-1 steps whose mean is the trend
CLAIM = Assertion(
    claim="Validation accuracy jumps when the backbone is unfrozen",
    rule=(
        f"CONFIRMED if the jump's interval lies above {MIN_JUMP:g}, McNemar's exact p < {ALPHA:g} "
        "and the jump exceeds both placebos' (intervals above 0); REFUTED if it lies below "
        f"{MIN_JUMP:g}"
    ),
    control="the step one epoch earlier and one epoch later",
    section="unfreeze",
)
PLACEBOS = {"one epoch earlier": -1, "one epoch later": 1}


def unfreeze_section(
    labels: IntArray,
    val_predictions: npt.NDArray[np.integer] | None,
    epochs: pd.DataFrame,
    trial: int,
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The winner's jump against its placebos, and the jumps of all trials against their trends.

    Args:
        labels: true classes of the validation split, shape (N,).
        val_predictions: the winner's predicted classes after each epoch, shape (E, N), as its
            checkpoint keeps them; None where it keeps none.
        epochs: the run's table, one row a trial and epoch.
        trial: the winner.
        num_resamples: bootstrap draws of the pictures.
        seed: of the bootstrap.

    Returns:
        "steps": rows "name", "epochs" (before, after), "change" (estimate), "p" (McNemar), the jump
        first; "excess": the jump minus each placebo (estimates by name); "trials" (see
        `jumps_of_trials`), "untested" (the reason, or None), "num_images" and "claims".
    """
    own = epochs[epochs["trial"] == trial].sort_values("epoch")
    last_head = int((own["phase"] == 1).sum())
    reason = _untestable(val_predictions, last_head)
    shared = {"trials": jumps_of_trials(epochs), "untested": reason, "num_images": len(labels)}
    if reason or val_predictions is None:
        claim = CLAIM.not_tested(str(reason))
        return shared | {"steps": [], "excess": {}, "claims": [claim.to_dict()]}
    right = np.asarray(val_predictions) == labels
    rng = np.random.default_rng(seed)
    steps, excess = placebo_test(right, last_head, num_resamples=num_resamples, rng=rng)
    claim = jump_claim(steps, excess, len(labels))
    return shared | {"steps": steps, "excess": excess, "claims": [claim.to_dict()]}


def placebo_test(
    right: BoolArray, last_head: int, *, num_resamples: int, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """The jump from epoch `last_head` (1-based) to the next, the placebo steps, and the excess.

    Args:
        right: whether each picture was right after each epoch, shape (E, N).
        last_head: the last epoch of phase 1.
        num_resamples: bootstrap draws, each of whole pictures, so that all steps stay paired.
        rng: of the bootstrap.
    """
    starts = {"unfreeze": last_head} | {
        name: last_head + offset
        for name, offset in PLACEBOS.items()
        if 1 <= last_head + offset < len(right)
    }
    changes = np.stack(
        [right[start].astype(int) - right[start - 1] for start in starts.values()], axis=1
    )
    means = changes.mean(axis=0)
    samples = resampled_sums(changes, num_resamples, rng) / len(changes)
    steps = [
        {
            "name": name,
            "epochs": [start, start + 1],
            "change": estimate(float(means[k]), samples[:, k]).to_dict(),
            "p": mcnemar_p(right[start - 1], right[start]),
        }
        for k, (name, start) in enumerate(starts.items())
    ]
    excess = {
        name: estimate(float(means[0] - means[k]), samples[:, 0] - samples[:, k]).to_dict()
        for k, name in enumerate(starts)
        if k
    }
    return steps, excess


def mcnemar_p(before: BoolArray, after: BoolArray) -> float:
    """McNemar's exact p that as many pictures became right as became wrong."""
    table = np.array(
        [
            [(before & after).sum(), (before & ~after).sum()],
            [(~before & after).sum(), (~before & ~after).sum()],
        ]
    )
    return float(mcnemar(table, exact=True).pvalue)


def jumps_of_trials(epochs: pd.DataFrame) -> dict[str, Any]:
    """Each trial's step at the unfreeze point minus the mean of its last phase-1 steps.

    Returns:
        "excess" of each trial that has both, "median", and "p" of Wilcoxon's signed-rank test over
        the trials (None for fewer than six).
    """
    excess = [
        value
        for _, rows in epochs.sort_values("epoch").groupby("trial")
        if (value := _excess_over_trend(rows)) is not None
    ]
    is_tested = len(excess) >= MIN_TRIALS and any(excess)
    return {
        "excess": excess,
        "num_trials": len(excess),
        "median": float(np.median(excess)) if excess else None,
        "p": float(stats.wilcoxon(excess).pvalue) if is_tested else None,
    }


def _excess_over_trend(rows: pd.DataFrame) -> float | None:
    head = rows.loc[rows["phase"] == 1, "val_accuracy"].to_numpy()
    tuned = rows.loc[rows["phase"] == 2, "val_accuracy"].to_numpy()
    if len(head) < 2 or not len(tuned):
        return None
    trend: FloatArray = np.diff(head)[-TREND_EPOCHS:]
    return float(tuned[0] - head[-1] - trend.mean())


def jump_claim(
    steps: list[dict[str, Any]], excess: dict[str, dict[str, float]], num_images: int
) -> Claim:
    """That the jump is there, and is more than what happens between other epochs."""
    jump, p = Estimate(**steps[0]["change"]), steps[0]["p"]
    beats_placebos = len(excess) == len(PLACEBOS) and all(e["lower"] > 0 for e in excess.values())
    word: Word = verdict(jump, MIN_JUMP)
    verdict_text = word.lower()
    if word == "CONFIRMED" and not (beats_placebos and p < ALPHA):
        word = "INCONCLUSIVE"
        verdict_text = (
            "inconclusive; it coincides with unfreezing; the learning-rate change is not separated"
        )
    placebos = ", ".join(f"{100 * s['change']['value']:+.1f} {s['name']}" for s in steps[1:])
    return CLAIM.tested(
        word,
        jump,
        num_images=num_images,
        detectable=detectable_above(MIN_JUMP, standard_error(jump)),
        sentence=(
            f"Symptom: from epoch {steps[0]['epochs'][0]} to {steps[0]['epochs'][1]} validation "
            f"accuracy changes by {100 * jump.value:+.1f} points ({100 * jump.lower:+.1f} to "
            f"{100 * jump.upper:+.1f}), p = {p:.2g}. Test: the placebo steps change it by "
            f"{placebos or 'nothing, there being none'}. Verdict: {verdict_text}."
        ),
    )


def _untestable(val_predictions: npt.NDArray[np.integer] | None, last_head: int) -> str | None:
    if val_predictions is None:
        return "no validation predictions of the winner are at hand"
    if not 1 <= last_head < len(val_predictions):
        return "the selected epoch does not lie behind an unfreeze point"
    return None
