"""How many of the sealed test's labels may be wrong? Confident learning asks the model.

A label is flagged where the model is surer of another class than it commonly is of that class
(Northcutt, Jiang and Chuang 2021). A model that errs with confidence flags right labels too, so a
flag proves nothing and only a person who looks at the picture can settle it. What can be measured
is how many wrong labels this model would find: some are planted, and the share of them that is
flagged turns the number of flags into a bound on the number of wrong labels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.gallery import picture_entry
from analysis.statistics.claims import Assertion, Claim, verdict
from analysis.statistics.intervals import Estimate, proportion
from analysis.statistics.metrics import FloatArray, IntArray, confusion_matrix
from analysis.statistics.picture_choice import probabilities
from trainables.errors import missing_extra

EXPLAINED = 0.5  # share of the errors
CLAIM = Assertion(
    claim="Half of the test errors are wrong labels",
    rule=(
        "REFUTED if the share of errors that are flagged, over the share of planted wrong labels "
        f"that are found, lies below {EXPLAINED:g} with the whole interval; a model alone never "
        "confirms it"
    ),
    control="labels made wrong on purpose: the class that the model finds most likely besides",
    section="label_issues",
)
MIN_IMAGES = 10  # of a class, to know how sure the model commonly is of it
PLANTED_SHARE, NUM_DRAWS = 0.02, 10  # labels made wrong at a time, and how often
MIN_RECALL = 0.2  # a model that finds fewer of the planted ones bounds nothing
NUM_SHOWN = 24


def label_issues_section(
    labels: IntArray,
    logits: npt.NDArray[np.floating],
    class_names: tuple[str, ...],
    *,
    seed: int,
) -> dict[str, Any]:
    """Flagged labels, how many planted ones are found, and the bound that follows.

    Args:
        labels: of the test, (N,).
        logits: of the test, (N, K), by a model that was not trained on these pictures.
        class_names: K names.
        seed: of what is planted.

    Returns:
        "tested" and "reason" (None where tested), "claims", and where tested "num_images",
        "num_errors", "num_flagged", "num_planted", "recall" (of the planted, an estimate),
        "share_of_errors" (wrong labels among them, an estimate whose lower bound is 0), "pairs"
        (rows "given", "suggested", "errors" and "count", the flagged ones of these) and "pictures"
        (the flagged ones whose label the model finds least likely, first).
    """
    reason = _untestable(labels, logits, len(class_names))
    if reason:
        return _nothing(reason)
    shares = probabilities(logits)
    predictions = shares.argmax(axis=1)
    flagged = flags(labels, shares)
    found, planted = recovered(labels, shares, np.random.default_rng(seed))
    recall = proportion(found, planted)
    if recall.lower < MIN_RECALL:
        return _nothing(
            f"of {planted} labels that were made wrong on purpose the model finds {found}, too few "
            "to bound the others"
        )
    errors = predictions != labels
    share = share_of_errors(int((flagged & errors).sum()), int(errors.sum()), recall)
    own = shares[np.arange(len(labels)), labels]
    suspects = np.flatnonzero(flagged)
    suspects = suspects[np.argsort(own[suspects], kind="stable")][:NUM_SHOWN]
    return {
        "tested": True,
        "reason": None,
        "num_images": len(labels),
        "num_errors": int(errors.sum()),
        "num_flagged": int(flagged.sum()),
        "num_planted": planted,
        "recall": recall.to_dict(),
        "share_of_errors": share.to_dict(),
        "pairs": _pair_rows(labels, predictions, flagged, class_names),
        "pictures": [picture_entry(int(i), labels, shares, class_names) for i in suspects],
        "claims": [_claim(share, int(errors.sum()), int(flagged.sum()), recall).to_dict()],
    }


def _pair_rows(
    labels: IntArray,
    predictions: IntArray,
    flagged: npt.NDArray[np.bool_],
    class_names: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Every confusion that occurs: its errors, and how many of them are flagged."""
    counts = confusion_matrix(labels, predictions, len(class_names))
    doubted = confusion_matrix(labels[flagged], predictions[flagged], len(class_names))
    np.fill_diagonal(counts, 0)
    return [
        {
            "given": class_names[given],
            "suggested": class_names[suggested],
            "count": int(doubted[given, suggested]),
            "errors": int(counts[given, suggested]),
        }
        for given, suggested in np.argwhere(counts)
    ]


def flags(labels: IntArray, shares: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each label is off the diagonal of cleanlab's confident joint, (N,)."""
    from cleanlab.filter import find_label_issues

    found: npt.NDArray[np.bool_] = find_label_issues(
        labels, shares, filter_by="confident_learning", n_jobs=1
    )
    return found


def recovered(labels: IntArray, shares: FloatArray, rng: np.random.Generator) -> tuple[int, int]:
    """How many of the labels that are made wrong are flagged, and how many were made wrong."""
    count = max(1, round(PLANTED_SHARE * len(labels)))
    found = 0
    for _ in range(NUM_DRAWS):
        chosen = rng.choice(len(labels), count, replace=False)
        besides = shares[chosen]
        besides[np.arange(count), labels[chosen]] = -1.0
        planted = labels.copy()
        planted[chosen] = besides.argmax(axis=1)
        found += int(flags(planted, shares)[chosen].sum())
    return found, count * NUM_DRAWS


def share_of_errors(flagged: int, errors: int, recall: Estimate) -> Estimate:
    """Errors that are wrong labels: from none to all flags and those that were missed like them."""
    value, most = (min(flagged / (part * errors), 1.0) for part in (recall.value, recall.lower))
    return Estimate(value=value, lower=0.0, upper=most)


def _claim(share: Estimate, errors: int, flagged: int, recall: Estimate) -> Claim:
    word = verdict(share, EXPLAINED)
    return CLAIM.tested(
        word,
        share,
        num_images=errors,
        sentence=(
            f"Symptom: {flagged:,} labels are flagged beside {errors:,} errors. Test: of labels "
            f"made wrong on purpose {recall.value:.0%} are flagged, so wrong labels are "
            f"{share.upper:.0%} of the errors at most, and may be none. Verdict: {word.lower()}."
        ),
    )


def _untestable(labels: IntArray, logits: npt.NDArray[np.floating], num_classes: int) -> str | None:
    """Why no label can be doubted; None where some can."""
    for fault in missing_extra("labels", wanted_by="this section"):
        return fault
    fewest = int(np.bincount(labels, minlength=num_classes).min())
    if fewest < MIN_IMAGES:
        return f"a class has {fewest} test images; {MIN_IMAGES} of each are needed"
    if (np.asarray(logits).argmax(axis=1) == labels).all():
        return "every image was recognised, so no label is in doubt"
    return None


def _nothing(reason: str) -> dict[str, Any]:
    claim = CLAIM.not_tested(reason)
    return {
        "tested": False,
        "reason": reason,
        "pairs": [],
        "pictures": [],
        "claims": [claim.to_dict()],
    }
