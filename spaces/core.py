"""The four dimensions that matter most, on top of a run's own settings."""

from dataclasses import replace

from optuna import Trial

from trainables.config import FineTuneConfig

DEPTHS = ("top5", "stage4", "stage3", "all")
KERNELS = ("nearest", "bilinear", "bicubic", "lanczos")


def core(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """Unfreeze depth, differential-rate ratio, interpolation, CutMix probability.

    Command: python -m search.run --preset laptop --space core
    For: a first answer about the decks' main choices with a dozen trials or two.
    """
    return replace(
        base,
        unfreeze=trial.suggest_categorical("unfreeze", DEPTHS),
        backbone_lr_ratio=trial.suggest_float("backbone_lr_ratio", 0.01, 1.0, log=True),
        interpolation=trial.suggest_categorical("interpolation", KERNELS),
        # CutMix lengthens what a short fine-tune needs to converge, so 0 is the prior (BiT drops
        # MixUp altogether under 20,000 images); steps of 0.25 keep that value itself reachable.
        cutmix_probability=trial.suggest_float("cutmix_probability", 0.0, 0.5, step=0.25),
    )
