"""What each setting changed, the others held fixed, and what that says of the decks' claims.

Ordinary least squares on all varied settings at once, with intervals that hold where trials scatter
unequally (HC3; MacKinnon and White 1985, Long and Ervin 2000). The trials were proposed by a search
that follows its results, so these are associations within one search, not a designed experiment.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.linear_model import RegressionResults

from analysis.statistics.claims import Assertion, Claim, verdict
from analysis.statistics.intervals import CONFIDENCE, POWER, Estimate
from analysis.statistics.metrics import FloatArray
from analysis.statistics.paired_tests import holm
from analysis.trials.compared_trials import ComparedTrials, Setting, read_compared_trials
from analysis.trials.deck_claims import DECK_CLAIMS, DECK_SETTINGS, DeckClaim
from analysis.trials.importance import LEAST_TRIALS
from analysis.trials.linear_model import RegressionDesign, depth_of, design_of, is_known

FLOOR = 0.005  # of macro-F1; a gain below it is too small to matter
LEAST_DF = 8  # residual degrees of freedom; HC3 needs trials beyond the coefficients
ERROR_RATE = 1 - CONFIDENCE
CONTROL = "the other varied settings, by regression; proposals of a search that follows its results"
RULE = (
    f"CONFIRMED where the whole interval lies above {100 * FLOOR:g} point and Holm's p over the "
    f"claims is below {ERROR_RATE:g}; REFUTED where the whole interval lies below that"
)


def effects_section(
    events: Iterable[Mapping[str, Any]], epochs: pd.DataFrame, *, num_val_images: int
) -> dict[str, Any]:
    """Differences and slopes of every varied setting, and the decks' claims that they decide.

    Args:
        events: the run's journal.
        epochs: one row a trial and epoch.
        num_val_images: behind each value.
    """
    compared = read_compared_trials(events, epochs)
    num_compared = compared.num_trials
    settings = ordered(compared)
    design = design_of(settings, compared.num_trials, least_df=LEAST_DF)
    while compared.num_trials >= LEAST_TRIALS and design.alone.any():
        compared = compared.among(~design.alone)
        settings = ordered(compared)
        design = design_of(settings, compared.num_trials, least_df=LEAST_DF)
    reason = reason_not_to_test(compared, design)
    section: dict[str, Any] = {
        "epoch": compared.epoch,
        "num_trials": compared.num_trials,
        "num_alone": num_compared - compared.num_trials,
        "num_entered": compared.num_entered,
        "num_val_images": num_val_images,
        "floor": FLOOR,
        "reason": reason,
        "left_out": list(design.left_out),
        "residual_df": design.residual_df,
        "r_squared": None,
        "effects": [],
    }
    fit = None
    if reason is None:
        fit = sm.OLS(compared.macro_f1, design.matrix).fit(cov_type="HC3", use_t=True)
        section["r_squared"] = float(fit.rsquared)
        section["effects"] = _effects(fit, design, settings)
    section["claims"] = [claim.to_dict() for claim in _deck_claims(fit, design, settings, section)]
    return section


def ordered(compared: ComparedTrials) -> list[Setting]:
    """The decks' settings first, as trials may not suffice for all; depths as numbers."""
    known = [setting for setting in compared.settings if setting.name in DECK_SETTINGS]
    others = [setting for setting in compared.settings if setting.name not in DECK_SETTINGS]
    known.sort(key=lambda setting: DECK_SETTINGS.index(setting.name))
    return [
        depth_of(setting, compared.backbones)
        if setting.name == "unfreeze" and is_known(setting, compared.backbones)
        else setting
        for setting in (*known, *others)
    ]


def reason_not_to_test(compared: ComparedTrials, design: RegressionDesign) -> str | None:
    """Why these trials bear no regression; None if they do."""
    if compared.epoch is None:
        return "no trial reached phase 2"
    if compared.num_trials < LEAST_TRIALS:
        return (
            f"{compared.num_trials} trials have a value at phase-2 epoch {compared.epoch}; "
            f"allowed: {LEAST_TRIALS} or more"
        )
    if not design.first_columns:
        return "no setting varied among the trials in a way that a regression can use"
    if len(np.unique(compared.macro_f1)) == 1:
        return "all trials have the same macro-F1"
    return None


def estimated(fit: RegressionResults, contrast: FloatArray) -> dict[str, Any]:
    """One contrast: its estimate, p-value and the smallest effect seen with 80 % power."""
    test = fit.t_test(contrast)
    error = float(test.sd.squeeze())
    value, df = float(test.effect.squeeze()), float(fit.df_resid)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df))
    return {
        "effect": Estimate(
            value=value, lower=value - reach * error, upper=value + reach * error
        ).to_dict(),
        "p_value": float(test.pvalue),
        "detectable": float((reach + stats.t.ppf(POWER, df)) * error),
    }


def _effects(
    fit: RegressionResults, design: RegressionDesign, settings: Iterable[Setting]
) -> list[dict[str, Any]]:
    rows = [
        {
            "setting": effect.setting,
            "label": effect.label,
            "num_asked": int(setting.asked.sum()),
            **estimated(fit, effect.contrast),
        }
        for setting in settings
        if setting.name in design.first_columns
        for effect in design.effects(setting)
    ]
    return _with_holm(rows)


def _with_holm(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with Holm's p-values over all of them."""
    if rows:
        adjusted = holm([row["p_value"] for row in rows])
        for row, p_value in zip(rows, adjusted, strict=True):
            row["holm_p"] = float(p_value)
    return rows


def _deck_claims(
    fit: RegressionResults | None,
    design: RegressionDesign,
    settings: Iterable[Setting],
    section: Mapping[str, Any],
) -> list[Claim]:
    """The decks' claims, one family; those that this run cannot decide are not tested."""
    by_name = {setting.name: setting for setting in settings}
    contrasts = [claim.contrast(design, by_name) for claim in DECK_CLAIMS]
    rows: list[dict[str, Any] | None] = [
        estimated(fit, contrast) if fit is not None and contrast is not None else None
        for contrast in contrasts
    ]
    _with_holm([row for row in rows if row])
    num_tested = sum(row is not None for row in rows)
    return [
        _claim(claim, row, section, num_tested)
        if row
        else _assertion(claim).not_tested(section["reason"] or f"the run did not {claim.wants}")
        for claim, row in zip(DECK_CLAIMS, rows, strict=True)
    ]


def _claim(
    claim: DeckClaim, row: Mapping[str, Any], section: Mapping[str, Any], num_tested: int
) -> Claim:
    effect = Estimate(**row["effect"])
    return _assertion(claim).tested(
        verdict(effect, FLOOR, control_holds=row["holm_p"] < ERROR_RATE),
        effect,
        num_images=section["num_val_images"],
        detectable=row["detectable"],
        sentence=f"Among {section['num_trials']} trials at phase-2 epoch {section['epoch']}, "
        f"{claim.effect}: {100 * effect.value:+.1f} points of macro-F1 "
        f"({100 * effect.lower:+.1f} to {100 * effect.upper:+.1f}; Holm's p over {num_tested} "
        f"claims {row['holm_p']:.3f}). An association within this search, early in phase 2.",
    )


def _assertion(claim: DeckClaim) -> Assertion:
    return Assertion(claim=claim.claim, rule=RULE, control=CONTROL, section="effects")
