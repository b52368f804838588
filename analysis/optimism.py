"""What was selected, what fresh seeds held of it, and what the sealed test says."""

from collections.abc import Mapping
from typing import Any

ROW_KEYS = ("trial", "epoch", "selected", "figures", "mean", "sd", "seconds", "out")


def confirmation_section(
    confirmation: Mapping[str, Any] | None, reported: int | None, test: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The contents of confirm.json, and the test figure beside its optimism meter.

    The meter is read on the best candidate of the search. The test figure is of the run's
    checkpoint, and so stands beside the meter only where both are of one trial.

    Args:
        confirmation: contents of confirm.json; None when the run was not confirmed.
        reported: trial of the run's checkpoint.
        test: its macro-F1 on the sealed test (an estimate); None where it was not tested.
    """
    if confirmation is None:
        return None
    rows = [{key: row[key] for key in ROW_KEYS} for row in confirmation["configurations"]]
    return {
        **{key: confirmation[key] for key in ("seeds", "method", "comparisons")},
        **{key: confirmation[key] for key in ("tie_set", "winner", "verdict")},
        "configurations": rows,
        "reported_trial": reported,
        "meter": _meter(confirmation["optimism"], reported, test),
    }


def _meter(
    meter: Mapping[str, Any] | None, reported: int | None, test: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if meter is None:
        return None
    shown = test if meter["trial"] == reported else None
    return {
        **meter,
        "test": shown,
        "fresh_to_test": shown["value"] - meter["fresh_mean"] if shown else None,
    }
