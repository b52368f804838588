"""Do the model's confidences say how often it is right?"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from analysis.statistics.claims import Assertion, Claim, detectable_above, standard_error, verdict
from analysis.statistics.intervals import CONFIDENCE, Estimate, proportion
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.paired_tests import ALPHA

NUM_BINS = 15
MAX_DRAWS = 500  # of all pictures; an ECE moves little beyond that
MIN_IMAGES = 100
MIN_GAP = 0.01  # of mean confidence over accuracy; less is too little to matter
TEMPERATURES = (0.05, 20.0)  # searched; a fit at either end is no fit
CLAIM = Assertion(
    claim="The model is overconfident",
    rule=(
        f"CONFIRMED if the interval of mean confidence minus accuracy lies above {MIN_GAP:g} and "
        f"labels drawn from the model's own probabilities give so large an ECE with p < {ALPHA:g}; "
        f"REFUTED if it lies below {MIN_GAP:g}"
    ),
    control="labels drawn from the model's own probabilities",
    section="calibration",
)


def calibration_section(
    labels: IntArray, logits: npt.NDArray[np.floating], *, num_resamples: int, seed: int
) -> dict[str, Any]:
    """Expected calibration error, its tests, the reliability curve, and a fitted temperature.

    Args:
        labels: true classes of the test, shape (N,).
        logits: shape (N, K).
        num_resamples: draws of the bootstrap and of consistency resampling, at most 500 of each.
        seed: of all draws.

    Returns:
        "ece" (estimate), "consistency_p", "ece_if_calibrated" (mean ECE of the drawn labels),
        "gap" (estimate: mean confidence minus accuracy), "curve" (one row a bin that holds
        pictures), "temperature" (see `temperature_fit`), "untested", "num_images", "claims".
    """
    num_images = len(labels)
    if num_images < MIN_IMAGES:
        reason = f"{num_images} test images are too few for {NUM_BINS} bins"
        claim = CLAIM.not_tested(reason)
        nothing = dict.fromkeys(("ece", "consistency_p", "ece_if_calibrated", "gap", "temperature"))
        return nothing | {
            "curve": [], "untested": reason, "num_images": num_images, "claims": [claim.to_dict()],
        }  # fmt: skip
    rng = np.random.default_rng(seed)
    num_draws = min(num_resamples, MAX_DRAWS)
    confidence, right = top_label(labels, logits)
    value = expected_calibration_error(confidence, right)
    drawn = consistency_samples(confidence, num_draws, rng)
    consistency_p = float((1 + (drawn >= value).sum()) / (1 + num_draws))
    gap = mean_interval(confidence - right)
    claim = overconfidence_claim(gap, consistency_p, value, num_images)
    return {
        "ece": ece_interval(confidence, right, num_draws, rng).to_dict(),
        "consistency_p": consistency_p,
        "ece_if_calibrated": float(drawn.mean()),
        "gap": gap.to_dict(),
        "curve": reliability_curve(confidence, right),
        "temperature": temperature_fit(labels, logits, rng),
        "num_draws": num_draws,
        "num_bins": NUM_BINS,
        "untested": None,
        "num_images": num_images,
        "claims": [claim.to_dict()],
    }


def top_label(
    labels: IntArray, logits: npt.NDArray[np.floating], temperature: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """The probability of the predicted class, and whether it is right (0 or 1); (N,) each."""
    log_probabilities = log_softmax(np.asarray(logits, np.float64) / temperature, axis=1)
    right = log_probabilities.argmax(axis=1) == labels
    return np.exp(log_probabilities.max(axis=1)), right.astype(np.float64)


def bins_of(confidence: FloatArray) -> IntArray:
    """Equal-width bins (lower, upper] of [0, 1], shape (N,)."""
    return np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)


def expected_calibration_error(
    confidence: FloatArray, right: FloatArray | npt.NDArray[np.bool_]
) -> float:
    """ECE (Naeini et al. 2015; Guo et al. 2017): mean |accuracy - confidence| over the pictures.

    The gap is that of a picture's bin: 15 bins of equal width.
    """
    sums = np.bincount(bins_of(confidence), weights=right - confidence, minlength=NUM_BINS)
    return float(np.abs(sums).sum() / len(confidence))


def consistency_samples(
    confidence: FloatArray, num_draws: int, rng: np.random.Generator
) -> FloatArray:
    """ECE of a model that is calibrated by construction (Broecker and Smith 2007); (R,).

    Each picture is right with its own confidence.
    """
    return np.array(
        [
            expected_calibration_error(confidence, rng.random(len(confidence)) < confidence)
            for _ in range(num_draws)
        ]
    )


def ece_interval(
    confidence: FloatArray, right: FloatArray, num_draws: int, rng: np.random.Generator
) -> Estimate:
    """The basic bootstrap interval: a resample's ECE is too large by what this one already is."""
    value, total = expected_calibration_error(confidence, right), len(confidence)
    samples = np.empty(num_draws)
    for draw in range(num_draws):
        chosen = rng.integers(0, total, total)
        samples[draw] = expected_calibration_error(confidence[chosen], right[chosen])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return Estimate(
        value=value, lower=float(max(2 * value - high, 0)), upper=float(max(2 * value - low, 0))
    )


def mean_interval(values: FloatArray) -> Estimate:
    """A mean over many pictures with its normal interval."""
    half = stats.norm.ppf((1 + CONFIDENCE) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return Estimate(value=mean, lower=float(mean - half), upper=float(mean + half))


def reliability_curve(confidence: FloatArray, right: FloatArray) -> list[dict[str, Any]]:
    """One row a bin with pictures: "count", mean "confidence", "accuracy" (Wilson)."""
    bins = bins_of(confidence)
    return [
        {
            "lower": int(number) / NUM_BINS,
            "upper": (int(number) + 1) / NUM_BINS,
            "count": int((bins == number).sum()),
            "confidence": float(confidence[bins == number].mean()),
            "accuracy": proportion(
                int(right[bins == number].sum()), int((bins == number).sum())
            ).to_dict(),
        }
        for number in np.unique(bins)
    ]


def temperature_fit(
    labels: IntArray, logits: npt.NDArray[np.floating], rng: np.random.Generator
) -> dict[str, float] | None:
    """One temperature (Guo et al. 2017) fitted on half of the pictures, tried on the others.

    Returns:
        "temperature", and on the other half "ece_before", "ece_after", "nll_before", "nll_after"
        (nats) and "num_images"; None where the likelihood has no maximum in [0.05, 20], as when
        every picture is right or the logits are constant.
    """
    order = rng.permutation(len(labels))
    fitted, tried = np.array_split(order, 2)

    def nll(chosen: IntArray, temperature: float) -> float:
        scaled = log_softmax(np.asarray(logits[chosen], np.float64) / temperature, axis=1)
        return float(-scaled[np.arange(len(chosen)), labels[chosen]].mean())

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(lambda log: nll(fitted, np.exp(log)), bounds=(low, high))
    is_inside = min(found.x - low, high - found.x) > 0.01
    varies = nll(fitted, TEMPERATURES[0]) > found.fun
    if not (is_inside and varies):
        return None
    temperature = float(np.exp(found.x))
    return {
        "temperature": temperature,
        "ece_before": expected_calibration_error(*top_label(labels[tried], logits[tried])),
        "ece_after": expected_calibration_error(
            *top_label(labels[tried], logits[tried], temperature)
        ),
        "nll_before": nll(tried, 1.0),
        "nll_after": nll(tried, temperature),
        "num_images": len(tried),
    }


def overconfidence_claim(gap: Estimate, p: float, ece: float, num_images: int) -> Claim:
    """That confidence exceeds accuracy."""
    word = verdict(gap, MIN_GAP, control_holds=p < ALPHA)
    return CLAIM.tested(
        word,
        gap,
        num_images=num_images,
        detectable=detectable_above(MIN_GAP, standard_error(gap)),
        sentence=(
            f"Symptom: confidence exceeds accuracy by {100 * gap.value:+.1f} points "
            f"({100 * gap.lower:+.1f} to {100 * gap.upper:+.1f}). Test: the ECE of "
            f"{100 * ece:.1f} points has p = {p:.2g} under labels drawn from the model's own "
            f"probabilities. Verdict: {word.lower()}."
        ),
    )
