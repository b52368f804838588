"""Which epochs train what, by hand."""

import pytest

from trainables.config import FineTuneConfig
from trainables.training.stages import plan_stages, stage_at


def stages(**settings) -> list[tuple]:
    config = FineTuneConfig(**{"head_epochs": 2, "finetune_epochs": 8} | settings)
    return [
        (s.phase, s.first_epoch, s.last_epoch, s.share, s.rate_factor) for s in plan_stages(config)
    ]


def test_at_once_is_one_stage_a_phase():
    assert stages() == [(1, 1, 2, 1.0, 1.0), (2, 3, 10, 1.0, 1.0)]


def test_gradually_is_a_quarter_more_at_half_the_rates():
    assert stages(unfreeze_mode="gradual") == [
        (1, 1, 2, 1.0, 1.0),
        (2, 3, 4, 0.25, 1.0),
        (2, 5, 6, 0.5, 0.5),
        (2, 7, 8, 0.75, 0.25),
        (2, 9, 10, 1.0, 0.125),
    ]


@pytest.mark.parametrize("finetune_epochs", range(12))
def test_stages_cover_every_epoch_once_and_end_at_the_full_depth(finetune_epochs):
    config = FineTuneConfig(head_epochs=3, finetune_epochs=finetune_epochs, unfreeze_mode="gradual")
    planned = plan_stages(config)
    epochs = [e for s in planned for e in range(s.first_epoch, s.last_epoch + 1)]
    assert epochs == list(range(1, config.total_epochs + 1))
    assert planned[-1].share == 1.0
    for epoch in epochs:
        stage = stage_at(planned, epoch)
        assert (stage.depth is None) == (epoch <= 3)
