"""The stages of a trial: spells of training with one set of trainable layers and one schedule."""

from dataclasses import dataclass

from trainables.config import FineTuneConfig

HEAD_PHASE, FINETUNE_PHASE = 1, 2
GRADUAL_STAGES = 4  # deck D unfreezes 5, 10, 15, then 20 layers
GRADUAL_RATE_FACTOR = 0.5  # a stage's rates over those of the stage before it


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Epochs `first_epoch` to `last_epoch` (1-based, both included) of one phase.

    Attributes:
        depth: unfreeze depth, or None for a frozen backbone.
        share: of the depth's layers that are trained, the top ones.
        rate_factor: on all peak rates.
    """

    phase: int
    first_epoch: int
    last_epoch: int
    depth: str | None = None
    share: float = 1.0
    rate_factor: float = 1.0

    @property
    def num_epochs(self) -> int:
        return self.last_epoch - self.first_epoch + 1


def plan_stages(config: FineTuneConfig) -> tuple[Stage, ...]:
    """Phase 1, then phase 2 in one stage, or in up to four when unfreezing gradually.

    Gradual unfreezing (Howard & Ruder 2018, deck D): each stage trains more layers than the one
    before, at half its rates, with a fresh optimiser and schedule.
    """
    head = Stage(phase=HEAD_PHASE, first_epoch=1, last_epoch=config.head_epochs)
    wanted = GRADUAL_STAGES if config.unfreeze_mode == "gradual" else 1
    num_stages = min(wanted, config.finetune_epochs)
    ends = [
        config.head_epochs + config.finetune_epochs * (i + 1) // num_stages
        for i in range(num_stages)
    ]
    starts = [config.head_epochs, *ends]
    return (
        head,
        *(
            Stage(
                phase=FINETUNE_PHASE,
                first_epoch=starts[i] + 1,
                last_epoch=ends[i],
                depth=config.unfreeze,
                share=(i + 1) / num_stages,
                rate_factor=GRADUAL_RATE_FACTOR**i,
            )
            for i in range(num_stages)
        ),
    )


def stage_at(stages: tuple[Stage, ...], epoch: int) -> Stage:
    """The stage that an epoch belongs to."""
    return next(stage for stage in stages if stage.first_epoch <= epoch <= stage.last_epoch)
