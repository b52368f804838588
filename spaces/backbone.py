"""An A/B of backbones."""

from dataclasses import replace

from optuna import Trial

from spaces import dimensions
from spaces.pretrained import IMAGENET, has_two_versions, refuse_misfits
from trainables.config import FineTuneConfig

BACKBONES = ("resnet18", "resnet34", "resnet50")


def backbone(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """ResNet-18, 34 and 50, each at a differential-rate ratio of its own (decks A, B).

    A shared ratio would favour the backbone that it was found on: deeper ones want smaller rates.
    Where ImageNet has two versions of weights (ResNet-50), the version is a dimension too. A run's
    own --backbone is always an arm.

    Command: python -m search.run --preset laptop --space backbone --weights imagenet
    Cost: 16 trials x 12 epochs at most, of which ASHA runs about a third. Estimates: an hour and
        a half on two cores (64 px; ResNet-50 takes 2.4 times as long as ResNet-18); five minutes on
        one H200 (224 px). --grace-epochs 9 lets every trial end, for three times the price.
    For: "ResNet-18 against 50" and "V1 against V2"; settle the winner with fresh seeds.

    Raises:
        UserError: the run's weights do not fit every backbone, as "embedded" and files do not.
    """
    choices = tuple(dict.fromkeys((*BACKBONES, base.backbone)))
    of_imagenet = base.weights in IMAGENET
    refuse_misfits(choices, "imagenet" if of_imagenet else base.weights)
    chosen = trial.suggest_categorical("backbone", choices)
    weights = base.weights
    if of_imagenet:
        weights = dimensions.imagenet_weights(trial) if has_two_versions(chosen) else "imagenet-v1"
    return replace(
        base,
        backbone=chosen,
        weights=weights,
        backbone_lr_ratio=dimensions.backbone_lr_ratio(trial),
    )
