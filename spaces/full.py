"""Every dimension at once."""

from dataclasses import replace
from typing import Any

from optuna import Trial

from spaces import dimensions
from spaces.core import core
from trainables.config import FineTuneConfig


def full(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """All but the run's own settings (backbone, weights, resolution, epochs, batch, precision).

    Those fix what a trial costs, and ASHA compares trials of equal cost; spaces `backbone` and
    `interpolation` vary the ones worth varying. A setting that means something only beside another
    is asked only there: alphas where mixing is on, a stage's rate where several are trained.

    Command: python -m search.run --preset cluster --space full
    Cost: 64 trials x 20 epochs at most, of which ASHA runs about a quarter. Estimates: a quarter of
        an hour on one H200 (ResNet-50, 224 px). The laptop's 16 trials x 12 epochs only scratch the
        surface in an hour on two cores (ResNet-18, 64 px); 64 of them take two to three hours.
    For: the search itself; wants three trials or more a dimension to model them well.
    """
    config = replace(core(trial, base), **_model(trial), **_phases(trial))
    config = replace(config, **_pixels(trial, config), **_examples(trial, config))
    return replace(config, **_finetune(trial, config))


def _model(trial: Trial) -> dict[str, Any]:
    return {"head": dimensions.head(trial), "dropout": dimensions.dropout(trial)}


def _phases(trial: Trial) -> dict[str, Any]:
    optimizer = dimensions.optimizer(trial)
    return {
        "optimizer": optimizer,
        "head_lr": dimensions.head_lr(trial, optimizer),
        "weight_decay": dimensions.weight_decay(trial, optimizer),
        "schedule": dimensions.schedule(trial),
        "label_smoothing": dimensions.label_smoothing(trial),
        "ema_decay": dimensions.ema_decay(trial),
    }


def _pixels(trial: Trial, config: FineTuneConfig) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "preprocessing": dimensions.preprocessing(trial),
        "augmentation": dimensions.augmentation(trial, config),
        "mixup_probability": dimensions.mixup_probability(trial),
    }
    if config.cutmix_probability:
        chosen["cutmix_alpha"] = dimensions.cutmix_alpha(trial)
    if chosen["mixup_probability"]:
        chosen["mixup_alpha"] = dimensions.mixup_alpha(trial)
    return chosen


def _examples(trial: Trial, config: FineTuneConfig) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "class_weights": dimensions.class_weights(trial, config),
        "hard_mining_share": dimensions.hard_mining_share(trial),
    }
    if chosen["class_weights"] == "deformable":
        chosen["deformable_factor"] = dimensions.deformable_factor(trial)
    return chosen


def _finetune(trial: Trial, config: FineTuneConfig) -> dict[str, Any]:
    chosen: dict[str, Any] = {"batchnorm": dimensions.batchnorm(trial)}
    if config.finetune_epochs >= dimensions.GRADUAL_STAGES:
        chosen["unfreeze_mode"] = dimensions.unfreeze_mode(trial)
    several = dimensions.unfreezes_several_stages(config.backbone, config.unfreeze)
    chosen["layer_decay"] = dimensions.layer_decay(trial) if several else 1.0  # no decay of one
    if config.schedule in ("plateau", "constant"):
        chosen["early_stopping_epochs"] = dimensions.early_stopping_epochs(
            trial, config.finetune_epochs
        )
    return chosen
