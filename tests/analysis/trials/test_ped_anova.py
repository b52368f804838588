"""PED-ANOVA agrees with Optuna's, selection by selection, asked always or sometimes."""

import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from analysis.trials.compared_trials import Setting, setting_of
from analysis.trials.ped_anova import ped_anova

NUM_TRIALS = 40


def drawn(rng: np.random.Generator) -> dict[str, list]:
    """Settings of every kind; `alpha` is asked in some trials only."""
    mixed = rng.random(NUM_TRIALS) < 0.6
    return {
        "rate": list(10 ** rng.uniform(-4, -1, NUM_TRIALS)),
        "dropout": list(rng.uniform(0, 0.5, NUM_TRIALS)),
        "kernel": [str(k) for k in rng.choice(["bicubic", "bilinear", "lanczos"], NUM_TRIALS)],
        "mixing": [bool(m) for m in mixed],
        "alpha": [float(rng.uniform(0.3, 3)) if m else None for m in mixed],
    }


def by_optuna(raw: dict[str, list], goodness: np.ndarray, top_share: float) -> dict[str, float]:
    """Optuna's own importances of the trials whose goodness is a number."""
    spaces: dict[str, BaseDistribution] = {}
    for name, values in raw.items():
        given = [value for value in values if value is not None]
        if isinstance(given[0], float):
            log = max(given) / min(given) >= 10 and min(given) > 0
            spaces[name] = FloatDistribution(min(given), max(given), log=log)
        else:
            spaces[name] = CategoricalDistribution(sorted(set(given), key=str))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for i, value in enumerate(goodness):
        params = {name: values[i] for name, values in raw.items() if values[i] is not None}
        if np.isfinite(value):
            study.add_trial(
                optuna.trial.create_trial(
                    params=params,
                    distributions={name: spaces[name] for name in params},
                    value=value,
                )
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = PedAnovaImportanceEvaluator(target_quantile=top_share)
        return get_param_importances(study, evaluator=evaluator, normalize=False)


@pytest.mark.parametrize("seed", range(4))
def test_as_optuna_computes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    raw, goodness = drawn(rng), rng.normal(size=NUM_TRIALS)
    half = np.where(rng.permutation(NUM_TRIALS) < 20, goodness, np.nan)
    tried = np.isfinite([goodness, half])
    counts = np.ceil(tried.sum(axis=1) / 4)
    top = np.array(
        [
            row >= np.sort(row[is_in])[-int(count)]
            for row, is_in, count in zip((goodness, half), tried, counts, strict=True)
        ]
    )
    expected = [by_optuna(raw, row, 0.25) for row in (goodness, half)]
    for name, values in raw.items():
        found = ped_anova(setting_of(name, values), top, tried)
        np.testing.assert_allclose(found, [row[name] for row in expected], rtol=1e-9, err_msg=name)


def test_no_importance_where_top_and_all_are_alike() -> None:
    setting = Setting(name="kernel", levels=("a", "b"), values=np.array([0.0, 1.0] * 4))
    everyone = np.ones((1, 8), dtype=bool)
    np.testing.assert_allclose(ped_anova(setting, everyone, everyone), 0, atol=1e-12)


def test_setting_that_no_top_trial_was_asked() -> None:
    setting = Setting(name="alpha", levels=(), values=np.array([np.nan, np.nan, 0.1, 0.7]))
    top = np.array([[True, True, False, False]])
    assert ped_anova(setting, top, np.ones((1, 4), dtype=bool)) == 0
