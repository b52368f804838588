"""The dimensions that spaces are made of: each a suggestion, its range and the reason for it.

Every parameter in the study bears the name of the setting it becomes, so that a run's own settings
can be asked first.
"""

from typing import Any

from optuna import Trial

from trainables.config import CHOICES, FineTuneConfig


def parameters(config: FineTuneConfig) -> dict[str, Any]:
    """The study's parameters that lead to a configuration: the inverse of a space."""
    return {**config.to_dict(), "cutmix": config.cutmix_probability > 0}


def unfreeze(trial: Trial) -> str:
    """How much of the backbone phase 2 trains, in four steps from half a stage to all (M4)."""
    return trial.suggest_categorical("unfreeze", ("top5", "stage4", "stage3", "all"))


def backbone_lr_ratio(trial: Trial) -> float:
    """Backbone rate over head rate (M5)."""
    # The decks take 0.1 or less; ULMFiT's factor of 2.6 a layer group spans about as much.
    return trial.suggest_float("backbone_lr_ratio", 0.03, 1.0, log=True)


def interpolation(trial: Trial) -> str:
    """The kernel that enlarges the pictures (D6)."""
    return trial.suggest_categorical("interpolation", ("nearest", "bilinear", "bicubic", "lanczos"))


def cutmix_probability(trial: Trial) -> float:
    """The share of the batches that CutMix mixes (D8); off in half of the trials."""
    # Mixing lengthens what a short fine-tune needs to converge: BiT drops MixUp under 20,000
    # pictures. So "off" is as likely as all other values together.
    if not trial.suggest_categorical("cutmix", (False, True)):
        return 0.0
    return trial.suggest_float("cutmix_probability", 0.1, 0.5)


def head(trial: Trial) -> str:
    """Linear, Dense 128-64, or Dense with BatchNorm and dropout (M2)."""
    return trial.suggest_categorical("head", CHOICES["head"])


def dropout(trial: Trial) -> float:
    """In the head (M7); 0.5 is the decks' own value."""
    return trial.suggest_float("dropout", 0.0, 0.5, step=0.1)


def head_lr(trial: Trial) -> float:
    """The head's peak rate under AdamW, which a one-cycle schedule reaches only briefly."""
    return trial.suggest_float("head_lr", 5e-4, 2e-2, log=True)


def weight_decay(trial: Trial) -> float:
    """Decoupled weight decay of AdamW (M7)."""
    return trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True)
