"""Both sides of the unfreeze point."""

import pandas as pd
import pytest

from analysis.trials.winner import CURVES, trajectory_section


def epochs_table(phases: list[int], accuracies: list[float]) -> pd.DataFrame:
    own = pd.DataFrame(dict.fromkeys(CURVES, accuracies))
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
