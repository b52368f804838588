"""The four dimensions that matter most, on top of a run's own settings."""

from dataclasses import replace

from optuna import Trial

from spaces import dimensions
from trainables.config import FineTuneConfig


def core(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """Unfreeze depth, differential-rate ratio, interpolation, CutMix probability.

    At 32 px pictures are not resized: interpolation has no effect there and is not asked.

    Command: python -m search.run --preset laptop --space core
    Cost: 16 trials x 12 epochs at most, of which ASHA runs about a third. Estimates: an hour on two
        cores (ResNet-18, 64 px); five minutes on one H200 (ResNet-50, 224 px).
    For: a first answer about the decks' main choices with a dozen trials or two.
    """
    resized = base.resolution_px != dimensions.NATIVE_PX
    return replace(
        base,
        unfreeze=dimensions.unfreeze(trial),
        backbone_lr_ratio=dimensions.backbone_lr_ratio(trial),
        interpolation=dimensions.interpolation(trial) if resized else base.interpolation,
        cutmix_probability=dimensions.cutmix_probability(trial),
    )
