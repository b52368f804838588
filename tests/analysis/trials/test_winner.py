"""The table of trials and what choosing the best is worth.

Both sides of the unfreeze point.
"""

import numpy as np
import pandas as pd
import pytest

from analysis.trials.winner import search_section, selection_note, trajectory_section
from trainables.training.epoch_report import FIGURES

TRIALS = pd.DataFrame(
    {
        "trial": [0, 1, 2],
        "status": ["stopped", "finished", "failed"],
        "epochs": [2, 3, 0],
        "best_epoch": [2.0, 3.0, np.nan],
        "best_val_macro_f1": [0.6, 0.8, np.nan],
        "config/head_lr": [1e-3, 1e-2, 1e-3],
        "config/batch_size": [128, 128, 128],
        "config/unfreeze": ["all", "all", "top5"],
    }
)
EPOCHS = pd.DataFrame(
    {"trial": [1, 0, 1, 0, 1], "epoch": [1, 1, 2, 2, 3], "val_macro_f1": [0.5, 0.4, 0.7, 0.6, 0.8]}
)
BEST = {"trial": 1, "val_macro_f1": 0.8, "val_accuracy": 0.8}


def test_best_first_with_the_settings_that_differ() -> None:
    section = search_section(TRIALS, EPOCHS, BEST, num_val_images=1000)
    assert section["varied_settings"] == ["head_lr", "unfreeze"]
    assert [row["trial"] for row in section["trials"]] == [1, 0, 2]
    assert section["trials"][0]["settings"] == {"head_lr": 0.01, "unfreeze": "all"}
    assert section["trials"][2] == {
        "trial": 2,
        "status": "failed",
        "epochs": 0,
        "best_epoch": None,
        "best_val_macro_f1": None,
        "settings": {"head_lr": 0.001, "unfreeze": "top5"},
    }
    assert section["statuses"] == {"stopped": 1, "finished": 1, "failed": 1}
    assert section["curves"][1] == {
        "trial": 1,
        "status": "finished",
        "epochs": [1, 2, 3],
        "val_macro_f1": [0.5, 0.7, 0.8],
    }


def test_optimism_counts_only_trials_that_could_have_won() -> None:
    note = selection_note(TRIALS, BEST, num_val_images=1000)
    assert note["num_candidates"] == 2
    # The larger of two standard normals is 1/sqrt(pi) = 0.564 on average.
    assert note["expected_optimism"] == pytest.approx(0.564 * np.sqrt(0.16 / 1000), rel=0.06)


def test_one_trial_was_not_chosen() -> None:
    assert selection_note(TRIALS[1:2], BEST, num_val_images=1000)["expected_optimism"] == 0


def epochs_table(phases: list[int], accuracies: list[float]) -> pd.DataFrame:
    own = pd.DataFrame(dict.fromkeys(FIGURES, accuracies))
    own = own.assign(trial=7, epoch=range(1, len(phases) + 1), phase=phases)
    return pd.concat([own.assign(trial=8, val_accuracy=0.0), own[::-1]])


def test_last_head_epoch_against_the_selected_one() -> None:
    table = epochs_table([1, 1, 2, 2], [0.4, 0.5, 0.7, 0.6])
    section = trajectory_section(table, trial=7, best_epoch=3)
    assert section["epochs"] == [1, 2, 3, 4]
    assert section["curves"]["val_accuracy"] == [0.4, 0.5, 0.7, 0.6]
    assert section["last_head_epoch"] == 2
    assert section["unfreeze"]["before"]["epoch"] == 2
    assert section["unfreeze"]["best"]["epoch"] == 3
    assert section["unfreeze"]["change"]["val_accuracy"] == pytest.approx(0.2)


@pytest.mark.parametrize(("phases", "best_epoch"), [([1, 1, 2], 2), ([1, 1], 1), ([2, 2], 2)])
def test_no_change_without_both_sides(phases: list[int], best_epoch: int) -> None:
    table = epochs_table(phases, [0.5] * len(phases))
    assert trajectory_section(table, trial=7, best_epoch=best_epoch)["unfreeze"] is None
