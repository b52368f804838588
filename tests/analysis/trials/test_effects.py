"""Effects of a known truth are recovered, and nulls stay unconfirmed."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.trials.compared_trials import Setting, setting_of
from analysis.trials.effects import LEAST_DF, effects_section, estimated
from analysis.trials.linear_model import design_of
from tests.helpers.tried_runs import proposed_by_tpe, searched, told_at_one_epoch

CLAIMS = ("bicubic", "deeper", "ratio", "cutmix")


def truth(params: Mapping[str, Any]) -> float:
    """3 points a decade of the head's rate, 4 for CutMix, 2 for bicubic over the others."""
    return (
        0.8
        + 0.03 * np.log10(params["head_lr"])
        + 0.04 * params["cutmix"]
        + 0.02 * (params["interpolation"] == "bicubic")
    )


def section_of(events: list[dict[str, Any]], epochs: pd.DataFrame) -> dict[str, Any]:
    return effects_section(events, epochs, num_val_images=2000)


def row_of(section: dict[str, Any], setting: str, label: str) -> dict[str, Any]:
    return next(
        row for row in section["effects"] if (row["setting"], row["label"]) == (setting, label)
    )


def verdicts(section: dict[str, Any]) -> dict[str, str]:
    return {n: claim["verdict"] for n, claim in zip(CLAIMS, section["claims"], strict=True)}


def test_known_truth_is_recovered() -> None:
    section = section_of(*searched(truth, num_trials=80, seed=0))
    json.dumps(section)
    for setting, label, expected in (
        ("head_lr", "per factor of 10", 0.03),
        ("cutmix", "True against False", 0.04),
        ("interpolation", "bicubic against the mean", 0.02 * 2 / 3),
        ("interpolation", "lanczos against the mean", -0.02 / 3),
        ("unfreeze", "per doubling of the layers", 0.0),
        ("backbone_lr_ratio", "per factor of 10", 0.0),
    ):
        effect = row_of(section, setting, label)["effect"]
        half_width = effect["value"] - effect["lower"]
        assert effect["value"] == pytest.approx(expected, abs=1.5 * half_width), setting
        assert half_width < 0.006
    assert verdicts(section) == {
        "bicubic": "CONFIRMED",
        "deeper": "REFUTED",
        "ratio": "REFUTED",
        "cutmix": "CONFIRMED",
    }


def test_what_is_too_noisy_is_inconclusive_and_says_what_it_would_have_seen() -> None:
    section = section_of(*searched(truth, num_trials=25, seed=3, noise=0.15))
    assert set(verdicts(section).values()) == {"INCONCLUSIVE"}
    assert all(claim["detectable"] > 0.02 for claim in section["claims"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("num_trials", [16, 40])
def test_family_wise_error_rate(num_trials: int) -> None:
    false = sum(
        any_found(searched(lambda p: 0.7, num_trials=num_trials, seed=seed)) for seed in range(40)
    )
    assert false < 7  # at 5 %, seven or more of 40 have a probability of 0.3 %


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_error_rate_where_proposals_follow_the_noise() -> None:
    runs = (told_at_one_epoch(proposed_by_tpe(40, seed)) for seed in range(20))
    assert sum(any_found(run) for run in runs) < 5  # at 5 %, five or more of 20: 0.3 %


def any_found(run: tuple[list[dict[str, Any]], pd.DataFrame]) -> bool:
    return any(row["holm_p"] < 0.05 for row in section_of(*run)["effects"])


def test_detectable_effect_is_seen_four_times_in_five() -> None:
    """Against a simulation of the t-test of a switch, its spread known."""
    rng = np.random.default_rng(0)
    matrix = np.column_stack([np.ones(40), np.repeat([-1.0, 1.0], 20)])
    promised = 2 * (2.024 + 0.851) * 0.05 / np.sqrt(40)  # t quantiles with 38 df
    seen = [
        estimated(
            sm.OLS(promised / 2 * matrix[:, 1] + rng.normal(0, 0.05, 40), matrix).fit(
                cov_type="HC3", use_t=True
            ),
            np.array([0.0, 2.0]),
        )
        for _ in range(400)
    ]
    assert np.mean([row["detectable"] for row in seen]) == pytest.approx(promised, rel=0.05)
    assert np.mean([row["p_value"] < 0.05 for row in seen]) == pytest.approx(0.8, abs=0.06)


def test_confounded_settings_are_left_out_and_named() -> None:
    def params_of(rng: np.random.Generator) -> dict[str, Any]:
        kernel = str(rng.choice(["bicubic", "bilinear"]))
        return {"interpolation": kernel, "pair": kernel.upper(), "dropout": float(rng.uniform())}

    section = section_of(*searched(lambda p: 0.7, num_trials=30, seed=0, params_of=params_of))
    assert section["left_out"] == ["pair"]


def test_few_trials_keep_the_decks_settings() -> None:
    def params_of(rng: np.random.Generator) -> dict[str, Any]:
        return {"interpolation": str(rng.choice(["bicubic", "bilinear"]))} | {
            f"a{i}": float(rng.uniform()) for i in range(12)
        }

    section = section_of(*searched(lambda p: 0.7, num_trials=16, seed=0, params_of=params_of))
    assert {row["setting"] for row in section["effects"]} >= {"interpolation"}
    assert section["residual_df"] == LEAST_DF
    assert len(section["left_out"]) == 12 - 6  # of 16 trials: 8 left, intercept, kernel, 6 others


def test_space_with_none_of_the_decks_settings() -> None:
    section = section_of(
        *searched(
            lambda p: 0.7,
            num_trials=20,
            seed=0,
            params_of=lambda rng: {"momentum": float(rng.uniform(0.5, 0.99))},
        )
    )
    assert [row["setting"] for row in section["effects"]] == ["momentum"]
    assert set(verdicts(section).values()) == {"NOT TESTED"}
    assert "both kernels" in section["claims"][0]["sentence"]


@pytest.mark.parametrize("num_trials", [1, 14])
def test_too_few_trials(num_trials: int) -> None:
    section = section_of(*searched(truth, num_trials=num_trials, seed=0))
    assert section["effects"] == []
    assert set(verdicts(section).values()) == {"NOT TESTED"}


def test_all_trials_failed() -> None:
    assert section_of([], pd.DataFrame())["reason"] == "no trial reached phase 2"


def test_level_of_a_single_trial_is_left_out() -> None:
    def params_of(rng: np.random.Generator) -> dict[str, Any]:
        return {"interpolation": str(rng.choice(["bilinear", "lanczos"])), "rate": rng.uniform()}

    events, epochs = searched(lambda p: 0.7, num_trials=20, seed=0, params_of=params_of)
    first = next(event for event in events if event["event"] == "started")
    first["params"]["interpolation"] = "bicubic"
    section = section_of(events, epochs)
    assert (section["num_trials"], section["num_alone"]) == (19, 1)
    labels = {row["label"] for row in section["effects"] if row["setting"] == "interpolation"}
    assert labels == {"lanczos against bilinear"}
    assert verdicts(section)["bicubic"] == "NOT TESTED"


def test_a_setting_asked_beside_its_switch_needs_no_column_for_being_asked() -> None:
    switch = setting_of("cutmix", [True, True, True, False, False, False] * 3)
    alpha = setting_of("alpha", [0.1, 0.5, 0.9, None, None, None] * 3)
    values = np.arange(18.0)
    alpha = Setting(name="alpha", levels=(), values=np.where(alpha.asked, values, np.nan))
    assert design_of((switch, alpha), 18, least_df=1).matrix.shape == (18, 3)
    assert design_of((alpha,), 18, least_df=1).matrix.shape == (18, 3)
