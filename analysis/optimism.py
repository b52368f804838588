"""What was selected, what fresh seeds held of it, and what the sealed test says."""

from collections.abc import Mapping
from typing import Any

ROW_KEYS = ("trial", "epoch", "selected", "figures", "mean", "sd", "seconds", "out")


def confirmation_section(
    confirmation: Mapping[str, Any] | None, best: Mapping[str, Any], test: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The contents of confirm.json, and the test figure beside its optimism meter.

    The meter is read on the best candidate of the search. The test figure is of the run's
    checkpoint, and so stands beside the meter only where both are of one trial.

    Args:
        confirmation: contents of confirm.json; None when the run was not confirmed.
        best: record of the run's checkpoint.
        test: the verdict's section: the checkpoint on the sealed test.
    """
    if confirmation is None:
        return None
    rows = [{key: row[key] for key in ROW_KEYS} for row in confirmation["configurations"]]
    return {
        **{key: confirmation[key] for key in ("seeds", "method", "comparisons")},
        **{key: confirmation[key] for key in ("tie_set", "winner", "verdict")},
        "configurations": rows,
        "reported_trial": best["trial"],
        "meter": _meter(confirmation["optimism"], best, test),
    }


def _meter(
    meter: Mapping[str, Any] | None, best: Mapping[str, Any], test: Mapping[str, Any]
) -> dict[str, Any] | None:
    if meter is None:
        return None
    is_reported = meter["trial"] == best["trial"]
    return {
        **meter,
        "test": test["macro_f1"] if is_reported else None,
        "fresh_to_test": test["macro_f1"]["value"] - meter["fresh_mean"] if is_reported else None,
    }
