"""Which settings mattered, for macro-F1 and for each class?

Importance is PED-ANOVA's: how far a setting's distribution among the best third of the trials
differs from that among all. Any setting differs a little by chance, the more so the more values it
has. So each is held against its own shuffled copies: the trials' results are permuted at random,
and a setting is named only where its importance exceeds what shuffling makes of it, with the errors
of all settings together held at 5 % (the largest standardised importance of each shuffle; Westfall
and Young 1993).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.claims import Assertion, Claim
from analysis.statistics.intervals import CONFIDENCE, Estimate
from analysis.statistics.metrics import MOST_SHOWN, FloatArray
from analysis.trials.compared_trials import ComparedTrials, Setting, read_compared_trials
from analysis.trials.ped_anova import BoolArray, ped_anova

LEAST_TRIALS = 15  # five in the best third: what Optuna advises for PED-ANOVA
TOP_SHARE = 1 / 3
NUM_SHUFFLES = 999
SHUFFLES_A_CLASS = 40  # so that the smallest p-value, times the classes, stays below 5 %
NUM_HALVES = 200
ERROR_RATE = 1 - CONFIDENCE
NORMAL_QUANTILE = 1.96  # of a 95 % interval
CLAIMED = ("cat", "dog")  # the decks' hardest classes
RULE = (
    "CONFIRMED where the importance of a setting exceeds that of its shuffled copies, with the "
    f"errors over all settings held at {ERROR_RATE:.0%}; never REFUTED"
)
CONTROL = "each setting's own shuffled copies, which cannot matter"


def importance_section(
    events: Iterable[Mapping[str, Any]],
    epochs: pd.DataFrame,
    class_names: Iterable[str],
    *,
    num_val_images: int,
    seed: int,
) -> dict[str, Any]:
    """Importance of every varied setting, its interval and the level of noise.

    Args:
        events: the run's journal.
        epochs: one row a trial and epoch, with columns `val_f1/CLASS`.
        class_names: of the data set.
        num_val_images: behind each value.
        seed: of the shuffles and of the half-samples.
    """
    compared = read_compared_trials(events, epochs)
    known = [name for name in class_names if name in compared.class_f1]
    if len(known) > MOST_SHOWN:  # so many share the 5 % that no class could be named
        known = []
    targets = {name: compared.class_f1[name] for name in known}
    section: dict[str, Any] = {
        "epoch": compared.epoch,
        "num_trials": compared.num_trials,
        "num_entered": compared.num_entered,
        "num_val_images": num_val_images,
        "least_trials": LEAST_TRIALS,
        "reason": reason_not_to_test(compared),
        "seed": seed,
        "settings": [],
        "classes": [],
        "untested_classes": [],
    }
    if section["reason"] is None:
        section |= _tested(compared, targets, np.random.default_rng(seed))
    rows = [row for row in section["classes"] if row["name"] in CLAIMED]
    section["claims"] = [
        _claim(section, None, section["settings"]).to_dict(),
        *(_claim(section, row["name"], row["settings"]).to_dict() for row in rows),
    ]
    return section


def reason_not_to_test(compared: ComparedTrials) -> str | None:
    """Why these trials cannot tell which setting matters; None if they can."""
    if compared.epoch is None:
        return "no trial reached phase 2"
    if compared.num_trials < LEAST_TRIALS:
        return (
            f"{compared.num_trials} trials have a value at phase-2 epoch {compared.epoch}, and "
            f"fewer than {LEAST_TRIALS} leave nothing but noise"
        )
    if not compared.settings:
        return "no setting varied among the trials"
    if len(np.unique(compared.macro_f1)) == 1:
        return "all trials have the same macro-F1"
    return None


def best_third(values: FloatArray, compared: BoolArray) -> BoolArray:
    """The third of the compared trials with the largest values; shapes (N,), (R, N) -> (R, N).

    Of equal values the earlier trial's comes first.
    """
    order = np.argsort(np.where(compared, -values, np.inf), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    return np.asarray(ranks < np.ceil(TOP_SHARE * compared.sum(axis=1, keepdims=True)))


def _tested(
    compared: ComparedTrials, targets: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, Any]:
    """What the section holds beyond its head; `targets` are the classes' F1."""
    num_shuffles = max(NUM_SHUFFLES, SHUFFLES_A_CLASS * len(targets) - 1)
    noise = Noise.of(_shuffled_importances(compared, num_shuffles, rng))
    testable = {name: values for name, values in targets.items() if _is_testable(values)}
    return {
        "num_top": math.ceil(TOP_SHARE * compared.num_trials),
        "num_shuffles": num_shuffles,
        "num_halves": NUM_HALVES,
        "settings": _overall(compared, noise, rng),
        "classes": [
            {"name": name, "settings": _judged(compared.settings, values, noise, len(testable))}
            for name, values in testable.items()
        ],
        "untested_classes": [name for name in targets if name not in testable],
    }


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The importances of shuffled copies: their mean, spread and largest standardised value.

    Attributes:
        mean, spread: of each setting, shape (S,).
        largest: of each shuffle, in ascending order, shape (R,).
    """

    mean: FloatArray
    spread: FloatArray
    largest: FloatArray

    @classmethod
    def of(cls, shuffled: FloatArray) -> "Noise":
        """From the importances of R shuffles, shape (R, S)."""
        mean, spread = shuffled.mean(axis=0), shuffled.std(axis=0)
        spread = np.where(spread > 0, spread, np.inf)
        return cls(
            mean=mean, spread=spread, largest=np.sort(((shuffled - mean) / spread).max(axis=1))
        )

    def p_values(self, found: FloatArray, family: int) -> FloatArray:
        """Adjusted for all settings and for a family of targets (Bonferroni), shape (S,)."""
        standardised = (found - self.mean) / self.spread
        at_least = len(self.largest) - np.searchsorted(self.largest, standardised)
        return np.minimum(family * (at_least + 1) / (len(self.largest) + 1), 1.0)

    def level(self, family: int) -> FloatArray:
        """What an importance must exceed to be named, shape (S,)."""
        allowed = int(ERROR_RATE * (len(self.largest) + 1) / family)
        spread = np.where(np.isfinite(self.spread), self.spread, 0.0)
        return self.mean + self.largest[-max(allowed, 1)] * spread


def _is_testable(values: FloatArray) -> bool:
    return bool(np.isfinite(values).all() and len(np.unique(values)) > 1)


def _importances(settings: Iterable[Setting], top: BoolArray, compared: BoolArray) -> FloatArray:
    """Of each selection and setting, shape (R, S)."""
    return np.column_stack([ped_anova(setting, top, compared) for setting in settings])


def _shuffled_importances(
    compared: ComparedTrials, num_shuffles: int, rng: np.random.Generator
) -> FloatArray:
    """What importances are when the results have nothing to do with the settings, (R, S).

    A shuffle of results picks a third of the trials at random, whatever the results were: one null
    serves macro-F1 and every class.
    """
    everyone = np.ones((1, compared.num_trials), dtype=bool)
    top = rng.permuted(np.tile(best_third(compared.macro_f1, everyone), (num_shuffles, 1)), axis=1)
    return _importances(compared.settings, top, everyone)


def _halves(num_trials: int, rng: np.random.Generator) -> BoolArray:
    """Random halves of the trials, shape (R, N)."""
    first = np.arange(num_trials) < num_trials // 2
    return rng.permuted(np.tile(first, (NUM_HALVES, 1)), axis=1)


def _judged(
    settings: tuple[Setting, ...], values: FloatArray, noise: Noise, family: int
) -> list[dict[str, Any]]:
    """Every setting's importance for one of `family` targets, in multiples of its noise level."""
    everyone = np.ones((1, len(values)), dtype=bool)
    found = _importances(settings, best_third(values, everyone), everyone)[0]
    relative, p_values = found / noise.level(family), noise.p_values(found, family)
    return [
        {
            "name": setting.name,
            "num_asked": int(setting.asked.sum()),
            "importance": float(relative[s]),
            "share": float(found[s] / found.sum()),
            "p_value": float(p_values[s]),
            "named": bool(p_values[s] <= ERROR_RATE),
        }
        for s, setting in enumerate(settings)
    ]


def _overall(
    compared: ComparedTrials, noise: Noise, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Settings by their importance for macro-F1, the largest first, each with its interval.

    Halves of the trials, drawn without replacement, spread as much as the estimate itself does
    (Shao and Wu 1989, the delete-half jackknife). Resamples with replacement would repeat trials,
    which sharpens the densities and lifts every importance.
    """
    halves = _halves(compared.num_trials, rng)
    of_halves = _importances(compared.settings, best_third(compared.macro_f1, halves), halves)
    reach = NORMAL_QUANTILE * of_halves.std(axis=0) / noise.level(1)
    rows = _judged(compared.settings, compared.macro_f1, noise, 1)
    for row, half_width in zip(rows, reach, strict=True):
        value = row["importance"]
        row["importance"] = Estimate(
            value=value, lower=max(value - float(half_width), 0.0), upper=value + float(half_width)
        ).to_dict()
    return sorted(rows, key=lambda row: -row["importance"]["value"])


def _claim(section: Mapping[str, Any], name: str | None, rows: list[dict[str, Any]]) -> Claim:
    """That some setting moves macro-F1 (name: None), or the F1 of one class."""
    what = "macro-F1" if name is None else f"F1 of {name}"
    assertion = Assertion(
        claim=f"At least one varied setting moves the validation {what}",
        rule=RULE,
        control=CONTROL,
        section="importance",
    )
    if section["reason"]:
        return assertion.not_tested(section["reason"])
    named = [row["name"] for row in rows if row["named"]]
    nearest = min(rows, key=lambda row: row["p_value"])
    found = (
        f"these settings matter more than their shuffled copies: {', '.join(named)}"
        if named
        else f"no setting matters more than its shuffled copies; the nearest is {nearest['name']}"
    )
    return assertion.tested(
        "CONFIRMED" if named else "INCONCLUSIVE",
        Estimate(**nearest["importance"]) if name is None else None,
        unit="times the noise level",
        num_images=section["num_val_images"],
        sentence=f"Of {section['num_trials']} trials, all at phase-2 epoch {section['epoch']}, "
        f"{found} (adjusted p = {nearest['p_value']:.3f}).",
    )
