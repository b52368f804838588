"""Which pairs of classes are confused more often than their error rates explain?"""

from typing import Any

import numpy as np
from scipy import stats

from analysis.errors.clusters import clusters
from analysis.statistics.claims import Assertion, Claim, Word, detectable_ratio_above
from analysis.statistics.intervals import (
    Estimate,
    percentile_interval,
    proportion,
    stratified_resamples,
)
from analysis.statistics.metrics import MOST_SHOWN, FloatArray, IntArray, most_confused
from analysis.statistics.paired_tests import ALPHA, holm
from analysis.statistics.quasi_independence import (
    MIN_CLASSES,
    all_pairs,
    bowker,
    cell_expectations,
    directions,
    excess_p,
    expected_counts,
    expected_errors,
    pair_counts,
    pair_expectations,
    stuart_maxwell,
)
from trainables.classes import CIFAR10_CLASSES

MIN_RATIO, MIN_RATE = 2.0, 0.01
MAX_ROWS = 45  # all pairs of ten classes; of more classes the most significant ones
JUDGED = 20  # pairs of more than 40 classes; a fit of 1,000 classes takes a second
RULE = (
    f"CONFIRMED if Holm's p < {ALPHA:g}, the interval of observed / expected begins at "
    f"{MIN_RATIO:g} or more and the pair takes {MIN_RATE:.0%} or more of its images; REFUTED if "
    "the whole interval of the ratio or of the rate lies below its floor"
)
CLAIMED = (  # by the presentations that the project starts from
    ("cat", "dog"),
    ("airplane", "bird"),
    ("airplane", "ship"),
    ("automobile", "truck"),
)


def pairs_section(
    confusion: IntArray, class_names: tuple[str, ...], *, num_resamples: int, seed: int
) -> dict[str, Any]:
    """Every pair against quasi-independence, its direction, the clusters, and the decks' claims.

    Args:
        confusion: counts of the test, shape (K, K), row = true class.
        class_names: K names.
        num_resamples: bootstrap draws for the ratios' intervals.
        seed: of the bootstrap.

    Returns:
        "pairs": rows in the order of p, each with "first", "second", "count", "counts" (first taken
        for second, and the reverse), "expected", "ratio" and "rate" (estimates), "p" (Holm over all
        pairs), "flagged" and "direction"; beside them "untested" (why there are no rows, or None),
        "expected" of every cell (its own pair left out), "symmetry", "homogeneity", "clustering"
        and "claims". "class_names", "counts", "expected" and "clustering" are of the classes
        shown: of more than 40 those with the most errors.
    """
    reason = _untestable(confusion)
    shown = most_confused(confusion)
    own = np.ix_(shown, shown)
    shown_names = tuple(class_names[k] for k in shown)
    shared = {
        "class_names": list(shown_names),
        "num_classes": len(class_names),
        "counts": confusion[own].tolist(),
        "num_images": int(confusion.sum()),
        "num_errors": int(confusion.sum() - np.trace(confusion)),
        "num_pairs": len(all_pairs(len(confusion))),
        "untested": reason,
        "symmetry": bowker(confusion),
        "homogeneity": stuart_maxwell(confusion),
    }
    if reason:
        claims = [claim.to_dict() for claim in untested_claims(class_names, reason)]
        return shared | {"pairs": [], "expected": None, "clustering": None, "claims": claims}
    rows = pair_rows(
        confusion, class_names, num_resamples=num_resamples, rng=np.random.default_rng(seed)
    )
    is_flagged = np.zeros(confusion.shape, bool)
    for row in rows:
        pair = class_names.index(row["first"]), class_names.index(row["second"])
        is_flagged[pair] = is_flagged[pair[::-1]] = row["flagged"]
    has_all = len(shown) == len(class_names)
    expected = cell_expectations(confusion) if has_all else expected_errors(confusion)
    by_pair = {frozenset((row["first"], row["second"])): row for row in rows}
    return shared | {
        "pairs": rows,
        "expected": expected[own].tolist(),
        "clustering": clusters(
            confusion[own], shown_names, is_flagged[own], num_resamples=num_resamples, seed=seed
        ),
        "claims": [
            pair_claim(by_pair[frozenset(pair)], len(rows)).to_dict()
            for pair in claimed_of(class_names)
        ],
    }


def pair_rows(
    confusion: IntArray,
    class_names: tuple[str, ...],
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """The rows of "pairs" in the order of their p-values; at most `MAX_ROWS`.

    Of more than 40 classes the `JUDGED` pairs with the most excess are judged, and p is 1 for all
    others: Holm's correction is over all pairs all the same, and errs on the side of too few.
    """
    family = all_pairs(len(confusion))
    is_large = len(confusion) > MOST_SHOWN
    judged = most_excess(confusion, family, JUDGED) if is_large else np.arange(len(family))
    p_values = np.ones(len(family))
    counts = pair_counts(confusion, family[judged])
    expected, variance = expected_counts(confusion, family[judged])
    p_values[judged] = excess_p(counts, expected, variance)
    p_values = holm(p_values)[judged]
    first_rows = np.argsort(p_values, kind="stable")[:MAX_ROWS]
    pairs, p_values = family[judged[first_rows]], p_values[first_rows]
    counts, expected, variance = counts[first_rows], expected[first_rows], variance[first_rows]
    samples = (
        ratio_samples_of_large(confusion, pairs, expected, variance, num_resamples, rng)
        if is_large
        else ratio_samples(confusion, pairs, num_resamples, rng)
    )
    lower, upper = percentile_interval(samples)
    sizes = confusion.sum(axis=1)[pairs].sum(axis=1)
    rows = []
    for k, direction in enumerate(directions(confusion, pairs)):
        first, second = pairs[k]
        ratio = Estimate(
            value=float(counts[k] / expected[k]), lower=float(lower[k]), upper=float(upper[k])
        )
        rate = proportion(int(counts[k]), int(sizes[k]))
        is_flagged = p_values[k] < ALPHA and ratio.lower >= MIN_RATIO and rate.value >= MIN_RATE
        rows.append(
            {
                "first": class_names[first],
                "second": class_names[second],
                "count": int(counts[k]),
                "counts": [int(confusion[first, second]), int(confusion[second, first])],
                "num_images": int(sizes[k]),
                "expected": float(expected[k]),
                "ratio": ratio.to_dict(),
                "p": float(p_values[k]),
                "rate": rate.to_dict(),
                "flagged": bool(is_flagged),
                "direction": direction,
            }
        )
    return rows


def most_excess(confusion: IntArray, pairs: IntArray, count: int) -> IntArray:
    """Positions of the pairs that one fit to all errors surprises most (Poisson), (count,)."""
    means = pair_counts(expected_errors(confusion), pairs)
    tails = stats.poisson.sf(pair_counts(confusion, pairs) - 1, means)
    return np.argsort(tails, kind="stable")[:count]


def ratio_samples_of_large(
    confusion: IntArray,
    pairs: IntArray,
    expected: FloatArray,
    variance: FloatArray,
    num_resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    """As `ratio_samples`, without a fit to each resample; (R, P).

    Both directions' counts are drawn as the bootstrap draws them, and what is expected from a gamma
    distribution of the fit's mean and variance: a pair has little weight among so many classes.
    """
    first, second = pairs.T
    sizes = confusion.sum(axis=1)
    shape = (num_resamples, len(pairs))
    drawn = sum(
        rng.binomial(sizes[a], confusion[a, b] / np.maximum(sizes[a], 1), size=shape)
        for a, b in ((first, second), (second, first))
    )
    return np.asarray(drawn / rng.gamma(expected**2 / variance, variance / expected, size=shape))


def ratio_samples(
    confusion: IntArray, pairs: IntArray, num_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Observed over expected of each pair in stratified resamples, all refitted; (R, P)."""
    return np.concatenate(
        [
            pair_counts(part, pairs) / pair_expectations(part, pairs)
            for batch in stratified_resamples(confusion, num_resamples, rng)
            for part in np.array_split(batch, range(200, len(batch), 200))  # fits a core's cache
        ]
    )


def pair_claim(row: dict[str, Any], family: int) -> Claim:
    """That two classes are confused beyond their error rates."""
    ratio, rate = Estimate(**row["ratio"]), Estimate(**row["rate"])
    word: Word = "INCONCLUSIVE"
    if row["flagged"]:
        word = "CONFIRMED"
    elif ratio.upper < MIN_RATIO or rate.upper < MIN_RATE:
        word = "REFUTED"
    forth, back = row["counts"]
    first, second = row["first"], row["second"]
    return _assertion(first, second).tested(
        word,
        ratio,
        unit="ratio",
        num_images=row["num_images"],
        detectable=detectable_ratio_above(MIN_RATIO, ratio),
        sentence=(
            f"Symptom: {first} and {second} are taken for each other {100 * rate.value:.1f} % of "
            f"the time ({100 * rate.lower:.1f}-{100 * rate.upper:.1f}), {first} for {second} "
            f"{forth} times and {second} for {first} {back} times. Test: all other errors let "
            f"expect {row['expected']:.1f} of these {row['count']}, a ratio of {ratio.value:.1f} "
            f"({ratio.lower:.1f}-{ratio.upper:.1f}), p = {row['p']:.2g} among {family} pairs. "
            f"Verdict: {word.lower()}."
        ),
    )


def _assertion(first: str, second: str) -> Assertion:
    return Assertion(
        claim=f"{first} and {second} are confused more often than their error rates explain",
        rule=RULE,
        control="quasi-independence, fitted to all other errors",
        section="pairs",
    )


def claimed_of(class_names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The claimed pairs, of the classes that the claims are about."""
    return CLAIMED if set(class_names) == set(CIFAR10_CLASSES) else ()


def untested_claims(class_names: tuple[str, ...], reason: str) -> list[Claim]:
    """The claims about pairs of these classes, where no pair can be judged."""
    return [_assertion(*pair).not_tested(reason) for pair in claimed_of(class_names)]


def _untestable(confusion: IntArray) -> str | None:
    """Why no pair can be judged; None where they can."""
    num_classes = len(confusion)
    if num_classes < MIN_CLASSES:
        return (
            f"with {num_classes} classes the errors outside a pair cannot say what to expect of it"
        )
    if absent := int((confusion.sum(axis=1) == 0).sum()):
        return f"{absent} of {num_classes} classes have no test images"
    num_errors, parameters = int(confusion.sum() - np.trace(confusion)), 2 * num_classes
    if num_errors < parameters:
        return f"{num_errors} errors are fewer than the {parameters} rates that explain them"
    return None
