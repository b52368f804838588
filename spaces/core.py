"""The four dimensions that matter most, on top of a run's own settings."""

from dataclasses import replace

from optuna import Trial

from spaces import dimensions
from trainables.config import FineTuneConfig


def core(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """Unfreeze depth, differential-rate ratio, interpolation, CutMix probability.

    Command: python -m search.run --preset laptop --space core
    For: a first answer about the decks' main choices with a dozen trials or two.
    """
    return replace(
        base,
        unfreeze=dimensions.unfreeze(trial),
        backbone_lr_ratio=dimensions.backbone_lr_ratio(trial),
        interpolation=dimensions.interpolation(trial),
        cutmix_probability=dimensions.cutmix_probability(trial),
    )
