"""Would the same errors be made again: by other images of the same classes, by another seed?"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from analysis.statistics.claims import Assertion, Claim, detectable_above, standard_error, verdict
from analysis.statistics.intervals import Estimate, estimate, resampled_sums
from analysis.statistics.metrics import FloatArray, IntArray, confusion_matrix, ratio
from analysis.statistics.paired_tests import ALPHA
from analysis.statistics.quasi_independence import (
    expected_errors,
    fit,
    off_diagonal,
    smoothed_errors,
)

MIN_AGREEMENT = 0.2  # of kappa and of the split-half correlation; less is too little to matter
MIN_CLASSES = 3  # with two, each class has one way to be wrong
MAX_CLASSES = 40  # beyond, most cells are empty, and drawing them anew takes minutes
NUM_SPLITS = 50
MAX_DRAWS = 500  # of the cells, each over all splits
CLAIM = Assertion(
    claim="The errors are systematic",
    rule=(
        f"with other seeds: CONFIRMED if kappa's interval lies above {MIN_AGREEMENT:g} and seeds "
        "that are both wrong agree on the label more often than by chance; with one model: "
        f"CONFIRMED if quasi-independence is rejected (p < {ALPHA:g}) and the split-half "
        f"correlation's interval lies above {MIN_AGREEMENT:g}; REFUTED if kappa's, or the "
        "correlation's, lies below"
    ),
    control="errors drawn anew from quasi-independence; labels of independent seeds",
    section="systematic",
)


def systematic_section(
    confusion: IntArray,
    labels: IntArray,
    seed_predictions: Sequence[IntArray] = (),
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The pattern of one model's errors, and its agreement with other seeds where there are any.

    Args:
        confusion: counts of the reported model, shape (K, K).
        labels: true classes, shape (N,).
        seed_predictions: of several models that differ in their seed alone, each shape (N,); fewer
            than two compare nothing.
        num_resamples: Monte-Carlo and bootstrap draws.
        seed: of all draws.

    Returns:
        "pattern" (see `error_pattern`), "agreement" (see `seed_agreement`; None without seeds),
        "untested" (the reason, or None), "num_images", "num_errors" and "claims".
    """
    rng = np.random.default_rng(seed)
    reason = _untestable(confusion)
    shared: dict[str, Any] = {
        "num_images": int(confusion.sum()),
        "num_errors": int(confusion.sum() - np.trace(confusion)),
        "untested": reason,
    }
    if reason:
        claim = CLAIM.not_tested(reason)
        return shared | {"pattern": None, "agreement": None, "claims": [claim.to_dict()]}
    pattern = error_pattern(confusion, num_resamples=num_resamples, rng=rng)
    agreement = None
    if len(seed_predictions) > 1:
        agreement = seed_agreement(
            labels, seed_predictions, len(confusion), num_resamples=num_resamples, rng=rng
        )
    claim = systematic_claim(pattern, agreement, num_images=shared["num_images"])
    return shared | {"pattern": pattern, "agreement": agreement, "claims": [claim.to_dict()]}


def error_pattern(
    confusion: IntArray, *, num_resamples: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Goodness of fit of quasi-independence, and whether half of the errors foretells the other.

    Both p-values are of Monte-Carlo draws of quasi-independent tables, so they hold for sparse
    tables too. The split-half correlation is the mean over random halves; its interval resamples
    the cells.
    """
    drawn = rng.poisson(expected_errors(confusion), size=(num_resamples, *confusion.shape))
    observed = float(deviance(confusion[None])[0])
    halves = split_residuals(np.repeat(confusion[None], NUM_SPLITS, axis=0), rng)
    null_correlations = correlation(*split_residuals(drawn, rng))
    value = float(correlation(*halves).mean())
    num_cells = halves.shape[-1]
    cells = rng.integers(0, num_cells, (min(num_resamples, MAX_DRAWS), num_cells))
    samples = np.array([correlation(*halves[:, :, chosen]).mean() for chosen in cells])
    return {
        "deviance": observed,
        "df": len(confusion) ** 2 - 3 * len(confusion) + 1,
        "deviance_p": monte_carlo_p(observed, deviance(drawn)),
        "split_half": estimate(value, samples).to_dict(),
        "split_half_p": monte_carlo_p(value, null_correlations),
        "split_half_null": float(null_correlations.mean()),
        "num_draws": num_resamples,
    }


def deviance(confusions: IntArray) -> FloatArray:
    """G^2 of quasi-independence, with half an error added to each class; (R, K, K) -> (R,)."""
    errors, means = _fitted_cells(confusions)
    return np.asarray(2 * (errors * np.log(errors / means)).sum(axis=1))


def split_residuals(confusions: IntArray, rng: np.random.Generator) -> FloatArray:
    """Pearson residuals of both halves of randomly split errors; (R, K, K) -> (2, R, cells).

    (observed - expected) / sqrt(expected) takes out which classes err often. Each half has its own
    fit: residuals from one fit to both would correlate below 0 by chance.
    """
    first = rng.binomial(confusions, 0.5)
    residuals = []
    for half in (first, confusions - first):
        errors, means = _fitted_cells(half)
        residuals.append((errors - means) / np.sqrt(means))
    return np.stack(residuals)


def correlation(first: FloatArray, second: FloatArray) -> FloatArray:
    """Pearson's, row by row; 0 where a row is constant; (R, C) twice -> (R,)."""
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    norms = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return np.nan_to_num(ratio((first * second).sum(axis=1), norms))


def _fitted_cells(confusions: IntArray) -> tuple[FloatArray, FloatArray]:
    """The off-diagonal cells of many tables and their fitted means, (R, K (K - 1)) each."""
    used = off_diagonal(confusions.shape[-1])
    errors = smoothed_errors(confusions)
    rows, columns = fit(errors, used[None])
    return errors[:, used], (rows[0, :, :, None] * columns[0, :, None, :])[:, used]


def monte_carlo_p(observed: float, drawn: FloatArray) -> float:
    """The share of draws as large, the observed one counted among them (Phipson and Smyth 2010)."""
    return float((1 + (drawn >= observed).sum()) / (1 + len(drawn)))


def seed_agreement(
    labels: IntArray,
    predictions: Sequence[IntArray],
    num_classes: int,
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Error consistency of models that differ in their seed (Geirhos et al. 2020), mean of pairs.

    Args:
        labels: true classes, shape (N,).
        predictions: of S >= 2 models, each shape (N,).
        num_classes: K.
        num_resamples: bootstrap draws of the pictures.
        rng: of the bootstrap.

    Returns:
        "kappa" (Cohen's, of right and wrong), "same_label" (P(same wrong label | both wrong)),
        "by_chance" (the same if seeds chose wrong labels independently, each in the proportions of
        its own errors on that class) and "excess" (the difference): estimates, with "num_seeds".
    """
    columns = [
        _compared(labels, first, second, num_classes)
        for first, second in combinations(predictions, 2)
    ]
    stacked = np.concatenate(columns, axis=1)
    totals = stacked.sum(axis=0)[None]
    samples = resampled_sums(stacked, num_resamples, rng)
    values = _agreement(totals, len(labels))
    spread = _agreement(samples, len(labels))
    return {name: estimate(float(values[name][0]), spread[name]).to_dict() for name in values} | {
        "num_seeds": len(predictions)
    }


def _compared(labels: IntArray, first: IntArray, second: IntArray, num_classes: int) -> FloatArray:
    """Columns (N, 6): each right, both right, both wrong, and with one label: seen, by chance."""
    rights = [first == labels, second == labels]
    both_wrong = ~rights[0] & ~rights[1]
    shares = []
    for predicted in (first, second):
        errors = confusion_matrix(labels, predicted, num_classes)
        np.fill_diagonal(errors, 0)
        shares.append(errors / np.maximum(errors.sum(axis=1, keepdims=True), 1))
    chance = (shares[0] * shares[1]).sum(axis=1)
    return np.stack(
        [
            *rights,
            rights[0] & rights[1],
            both_wrong,
            both_wrong & (first == second),
            both_wrong * chance[labels],
        ],
        axis=1,
    ).astype(np.float64)


def _agreement(sums: FloatArray, num_images: int) -> dict[str, FloatArray]:
    """Means over the pairs of seeds of what six sums a pair tell; (R, 6 P) -> (R,) each."""
    right, other, both, wrong, same, chance = np.moveaxis(sums.reshape(len(sums), -1, 6), -1, 0)
    seen = (both + wrong) / num_images
    random = (right * other + (num_images - right) * (num_images - other)) / num_images**2
    same_label, by_chance = ratio(same, wrong), ratio(chance, wrong)
    return {
        "kappa": ratio(seen - random, 1 - random).mean(axis=1),
        "same_label": same_label.mean(axis=1),
        "by_chance": by_chance.mean(axis=1),
        "excess": (same_label - by_chance).mean(axis=1),
    }


def systematic_claim(
    pattern: dict[str, Any], agreement: dict[str, Any] | None, *, num_images: int
) -> Claim:
    """By the agreement of seeds where there are several, else by one model's pattern alone."""
    if agreement:
        effect, excess = Estimate(**agreement["kappa"]), Estimate(**agreement["excess"])
        control_holds, unit = excess.lower > 0, "kappa"
        test = (
            f"{agreement['num_seeds']} seeds agree on which pictures are wrong with kappa "
            f"{effect.value:.2f} ({effect.lower:.2f} to {effect.upper:.2f}) and, where both are "
            f"wrong, on the label in {100 * agreement['same_label']['value']:.0f} % against "
            f"{100 * agreement['by_chance']['value']:.0f} % by chance"
        )
    else:
        effect, unit = Estimate(**pattern["split_half"]), "correlation"
        control_holds = pattern["deviance_p"] < ALPHA and pattern["split_half_p"] < ALPHA
        test = (
            f"half of the errors foretell the other half with a correlation of "
            f"{effect.value:.2f} ({effect.lower:.2f} to {effect.upper:.2f}); quasi-independence "
            f"has p = {pattern['deviance_p']:.2g}. Whether another seed repeats them is not tested"
        )
    word = verdict(effect, MIN_AGREEMENT, control_holds=control_holds)
    return CLAIM.tested(
        word,
        effect,
        unit=unit,
        num_images=num_images,
        detectable=detectable_above(MIN_AGREEMENT, standard_error(effect)),
        sentence=f"Test: {test}. Verdict: {word.lower()}.",
    )


def _untestable(confusion: IntArray) -> str | None:
    """Why the pattern of errors cannot be judged; None where it can."""
    if len(confusion) < MIN_CLASSES:
        return f"with {len(confusion)} classes an error has one possible label"
    if len(confusion) > MAX_CLASSES:
        return f"{len(confusion):,} classes are more than the {MAX_CLASSES} that it can draw anew"
    num_errors, parameters = int(confusion.sum() - np.trace(confusion)), 2 * len(confusion)
    if num_errors < parameters:
        return f"{num_errors} errors are fewer than the {parameters} rates that explain them"
    return None
