"""Settings that matter are named, those that do not are not, and too little data says so."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.trials.compared_trials import read_compared_trials
from analysis.trials.importance import LEAST_TRIALS, best_third, importance_section
from tests.helpers.tried_runs import (
    GRACE,
    drawn_params,
    proposed_by_tpe,
    searched,
    told_at_one_epoch,
)


def by_head_lr(params: Mapping[str, Any]) -> float:
    return 0.8 + 0.03 * np.log10(params["head_lr"])


def by_kernel(params: Mapping[str, Any]) -> float:
    return 0.6 + 0.05 * (params["interpolation"] == "bicubic")


def by_nothing(params: Mapping[str, Any]) -> float:
    return 0.7


def section_of(events: list[dict[str, Any]], epochs: pd.DataFrame, **options: Any) -> dict:
    names = options.pop("class_names", ("cat", "dog"))
    return importance_section(events, epochs, names, num_val_images=2000, seed=0, **options)


def named(rows: list[dict[str, Any]]) -> set[str]:
    return {row["name"] for row in rows if row["named"]}


def test_known_truth_is_recovered_overall_and_by_class() -> None:
    section = section_of(
        *searched(
            by_head_lr,
            num_trials=60,
            seed=0,
            class_truths={"cat": by_kernel, "dog": by_nothing},
        )
    )
    json.dumps(section)
    assert section["epoch"] == GRACE
    assert section["num_trials"] == 60
    assert section["num_top"] == 20
    assert named(section["settings"]) == {"head_lr"}
    strongest = section["settings"][0]
    assert strongest["name"] == "head_lr"
    assert strongest["importance"]["lower"] > 1  # above the noise with its whole interval
    assert strongest["share"] > 0.8
    of_class = {row["name"]: named(row["settings"]) for row in section["classes"]}
    assert of_class == {"cat": {"interpolation"}, "dog": set()}
    assert [claim["verdict"] for claim in section["claims"]] == [
        "CONFIRMED",
        "CONFIRMED",
        "INCONCLUSIVE",
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_named_where_nothing_matters() -> None:
    """The family-wise error rate over six settings, and over those of two classes."""
    false_overall = false_by_class = 0
    for seed in range(40):
        section = section_of(
            *searched(
                by_nothing,
                num_trials=30,
                seed=seed,
                class_truths={"cat": by_nothing, "dog": by_nothing},
            )
        )
        false_overall += bool(named(section["settings"]))
        false_by_class += any(named(row["settings"]) for row in section["classes"])
    # At 5 %, seven or more of 40 have a probability of 0.3 %.
    assert false_overall < 7
    assert false_by_class < 7


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_named_where_proposals_follow_the_noise() -> None:
    runs = (told_at_one_epoch(proposed_by_tpe(40, seed)) for seed in range(20))
    false = sum(bool(named(section_of(*run, class_names=())["settings"])) for run in runs)
    assert false < 5  # at 5 %, five or more of 20 have a probability of 0.3 %


def test_setting_that_matters_where_it_is_asked() -> None:
    def truth(params: Mapping[str, Any]) -> float:
        return 0.6 + 0.2 * params.get("cutmix_probability", 0.3)

    section = section_of(*searched(truth, num_trials=80, seed=1))
    assert named(section["settings"]) == {"cutmix_probability"}
    row = next(r for r in section["settings"] if r["name"] == "cutmix_probability")
    assert row["num_asked"] < 80


def test_values_are_those_of_the_common_epoch() -> None:
    """Survivors of ASHA gain six more epochs, which must not count."""
    events, epochs = searched(by_nothing, num_trials=20, seed=0, noise=0.0)
    compared = read_compared_trials(events, epochs)
    assert compared.epoch == GRACE
    assert len(set(np.round(compared.macro_f1, 12))) == 1
    assert "same macro-F1" in section_of(events, epochs)["reason"]


@pytest.mark.parametrize("num_trials", [1, LEAST_TRIALS - 1])
def test_too_few_trials(num_trials: int) -> None:
    section = section_of(*searched(by_head_lr, num_trials=num_trials, seed=0))
    assert section["settings"] == []
    assert str(num_trials) in section["reason"]
    assert [claim["verdict"] for claim in section["claims"]] == ["NOT TESTED"]


def test_all_trials_failed() -> None:
    events, _ = searched(by_head_lr, num_trials=20, seed=0)
    assert section_of(events, pd.DataFrame())["reason"] == "no trial reached phase 2"


def test_no_phase_2() -> None:
    events, epochs = searched(by_head_lr, num_trials=20, seed=0)
    assert section_of(events, epochs.assign(phase2_epoch=np.nan))["epoch"] is None


def test_undefined_values_are_left_out() -> None:
    events, epochs = searched(
        by_head_lr, num_trials=30, seed=0, class_truths={"cat": by_kernel, "dog": by_nothing}
    )
    epochs.loc[epochs["trial"] == 4, "val_macro_f1"] = np.nan
    epochs.loc[epochs["trial"] == 7, "val_f1/dog"] = np.nan
    section = section_of(events, epochs)
    assert section["num_trials"] == 29
    assert [row["name"] for row in section["classes"]] == ["cat"]
    assert section["untested_classes"] == ["dog"]


def test_one_varied_setting_and_one_that_never_varies() -> None:
    def params_of(rng: np.random.Generator) -> dict[str, Any]:
        return {"head_lr": float(10 ** rng.uniform(-4, -2)), "optimizer": "adamw"}

    section = section_of(*searched(by_head_lr, num_trials=20, seed=0, params_of=params_of))
    assert [row["name"] for row in section["settings"]] == ["head_lr"]
    assert named(section["settings"]) == {"head_lr"}


def test_no_setting_varies() -> None:
    section = section_of(
        *searched(by_nothing, num_trials=20, seed=0, params_of=lambda rng: {"optimizer": "sgd"})
    )
    assert section["reason"] == "no setting varied among the trials"


def test_a_tie_goes_to_the_earlier_trial() -> None:
    values = np.array([0.5, 0.7, 0.5, 0.5, 0.1, 0.9])
    compared = np.array([[True] * 6, [True, False, True, True, True, False]])
    top = best_third(values, compared)
    np.testing.assert_array_equal(np.flatnonzero(top[0]), [1, 5])
    np.testing.assert_array_equal(np.flatnonzero(top[1]), [0, 2])


def test_equal_seeds_give_equal_sections() -> None:
    run = searched(by_head_lr, num_trials=20, seed=0, params_of=drawn_params)
    assert section_of(*run) == section_of(*run)
