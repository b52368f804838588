"""Settings are read as choices or numbers, and the common epoch is the first rung."""

import numpy as np
import pandas as pd

from analysis.trials.compared_trials import common_epoch, setting_of, varied_settings


def reached(last_epochs: list[int]) -> pd.DataFrame:
    rows = [
        {"trial": trial, "phase2_epoch": float(epoch)}
        for trial, last in enumerate(last_epochs)
        for epoch in range(1, last + 1)
    ]
    return pd.DataFrame([{"trial": 99, "phase2_epoch": np.nan}, *rows])


def test_common_epoch_is_the_first_rung() -> None:
    assert common_epoch(reached([3] * 7 + [9] * 3)) == (3, 10)


def test_one_trial_in_ten_may_have_ended_before() -> None:
    assert common_epoch(reached([1] + [3] * 6 + [9] * 3)) == (3, 10)
    assert common_epoch(reached([1, 1] + [3] * 5 + [9] * 3)) == (1, 10)


def test_without_early_stopping_it_is_the_last_epoch() -> None:
    assert common_epoch(reached([9] * 4)) == (9, 4)


def test_number_over_decades_is_read_on_a_log_scale() -> None:
    setting = setting_of("head_lr", [1e-4, 1e-3, 1e-2, None])
    assert (setting.kind, setting.is_log) == ("number", True)
    np.testing.assert_allclose(setting.values, [-4, -3, -2, np.nan])
    np.testing.assert_array_equal(setting.asked, [True, True, True, False])


def test_number_within_a_decade_or_with_zero_is_not() -> None:
    assert not setting_of("dropout", [0.1, 0.2, 0.5]).is_log
    assert not setting_of("share", [0.0, 0.001, 0.5]).is_log


def test_a_few_numbers_tried_again_and_again_are_a_choice() -> None:
    setting = setting_of("ema_decay", [0.98, 0.0, 0.0, 0.995, 0.98, 0.995, 0.0])
    assert setting.levels == ("0.0", "0.98", "0.995")
    np.testing.assert_array_equal(setting.values, [1, 0, 0, 2, 1, 2, 0])


def test_switch_is_a_choice() -> None:
    assert setting_of("cutmix", [True, False]).levels == ("False", "True")


def test_what_does_not_vary_is_no_setting() -> None:
    params = [{"a": 1.0, "b": "x", "c": 0.1}, {"a": 1.0, "b": "y"}, {"a": 1.0, "b": "y"}]
    assert [setting.name for setting in varied_settings(params)] == ["b"]
