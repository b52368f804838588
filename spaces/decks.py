"""The recipes of the study's five decks as fixed configurations.

A  "Transfer Learning Paradigm via ResNet-18" (PyTorch)
B  "ResNet50 Transfer Learning: Technical analysis, architectural dynamics and forensic evaluation"
C  "Mastering Low-Resolution Vision" (Keras)
D  "About the project" (Keras, gradual unfreezing)
E  "Photo Recognition" (sprint project)

The decks say which techniques they use, seldom with which numbers. "Assumed" marks what is ours: a
number, or which of several techniques that decks name together is whose. What a deck says nothing
of stays the run's own, except for refinements that these decks do not have: `PLAIN`. Weighted loss
and hard mining are absent on purpose: decks A and B propose them as cures, and space
`interventions` tests those.
"""

from dataclasses import replace
from typing import Any

from optuna import Trial

from spaces.pretrained import refuse_misfits
from trainables.config import FineTuneConfig

# A run's own settings may do better by other rates, by frozen BatchNorms and the like; a deck that
# does not name them has them at what plain PyTorch and Keras do, at rates assumed for all five.
PLAIN: dict[str, Any] = {
    "head_lr": 3e-3,
    "backbone_lr_ratio": 0.3,
    "layer_decay": 1.0,
    "batchnorm": "train",
    "label_smoothing": 0.0,
    "ema_decay": 0.0,
}
DECK_A: dict[str, Any] = {
    **PLAIN,
    "backbone": "resnet18",  # its title
    "head": "linear",  # assumed: what replaces `fc` in PyTorch
    "interpolation": "bilinear",  # assumed: torchvision's default
    "augmentation": "standard",  # flip, rotate, brightness with Albumentations
    "cutmix_probability": 0.25,  # both, "with a probability each"; assumed: a quarter
    "mixup_probability": 0.25,
    "unfreeze": "stage4",  # assumed: PyTorch's stages rather than Keras' layer counts
    "backbone_lr_ratio": 0.1,  # backbone low, head high; assumed: a tenth
    "schedule": "onecycle",  # assumed: the one that PyTorch has and Keras has not
}
DECK_B: dict[str, Any] = {
    **PLAIN,
    "backbone": "resnet50",  # its title
    "interpolation": "bicubic",  # assumed: said to beat bilinear
    "augmentation": "adaptive",  # turns by class: it reasons about rigid and organic ones
    "cutmix_probability": 0.25,  # as in A
    "mixup_probability": 0.25,
    "backbone_lr_ratio": 0.1,  # as in A
    "layer_decay": 0.4,  # layer-wise decay; assumed: ULMFiT's 1 / 2.6
    "schedule": "cosine",  # assumed
}
DECK_C: dict[str, Any] = {
    **PLAIN,
    "preprocessing": "caffe",  # assumed of C and E: `preprocess_input` of Keras' ResNets
    "head": "mlp",  # Dense 128-64; assumed of C, D and E
    "interpolation": "bicubic",  # assumed: enlarging well is its subject
    "augmentation": "standard",  # as in A
    "cutmix_probability": 0.0,  # names no mixing
    "mixup_probability": 0.0,
    "unfreeze": "all",  # assumed: `trainable = True`
    "schedule": "plateau",  # assumed: Keras' ReduceLROnPlateau
    "label_smoothing": 0.1,  # assumed of C, D and E; the usual number
}
DECK_D: dict[str, Any] = {
    **PLAIN,
    "head": "bn_dropout",  # assumed of C, D and E
    "dropout": 0.5,  # said with that head
    "interpolation": "bilinear",  # assumed: the default of Keras' Resizing
    "cutmix_probability": 0.0,  # names no mixing
    "mixup_probability": 0.0,
    "unfreeze": "top20",  # top 5, 10, 15, then 20 layers
    "unfreeze_mode": "gradual",  # its subject
    "early_stopping_epochs": 3,  # assumed: three
    "schedule": "constant",  # assumed: what is left of the four
    "weight_decay": 1e-2,  # L2; assumed: AdamW's usual number
}
DECK_E: dict[str, Any] = {
    **PLAIN,
    "preprocessing": "unit",  # 1/255; assumed of C and E
    "head": "bn_dropout",  # assumed of C, D and E
    "dropout": 0.5,  # as in D
    "cutmix_probability": 0.0,  # names no mixing
    "mixup_probability": 0.0,
    "unfreeze": "all",  # it plots the jump at the unfreeze point; assumed: all
}
DECKS = {"A": DECK_A, "B": DECK_B, "C": DECK_C, "D": DECK_D, "E": DECK_E}


def decks(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """One deck's own recipe; the only thing to suggest is whose.

    Command: python -m search.run --preset laptop --space decks --weights imagenet --num-trials 5
        --grace-epochs 9
    Cost: 5 trials x 12 epochs, none stopped early. Estimates: 45 minutes on two cores (64 px), two
        minutes on one H200 (224 px).
    For: the study's five recipes side by side on the same pictures.

    Raises:
        UserError: the run's weights do not fit ResNet-18 and 50, as "embedded" and files do not.
    """
    configs = deck_configs(base)
    refuse_misfits((config.backbone for config in configs.values()), base.weights)
    return configs[trial.suggest_categorical("deck", tuple(configs))]


def deck_configs(base: FineTuneConfig) -> dict[str, FineTuneConfig]:
    """Each deck's configuration on top of a run's settings, by its letter."""
    return {name: replace(base, **recipe) for name, recipe in DECKS.items()}


def deck_of(config: FineTuneConfig) -> str | None:
    """The deck whose recipe a configuration follows, if any; no two decks agree."""
    return next(
        (
            name
            for name, recipe in DECKS.items()
            if all(getattr(config, setting) == value for setting, value in recipe.items())
        ),
        None,
    )
