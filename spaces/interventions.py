"""The cures that decks A and B propose, each against a control that lacks nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from optuna import Trial

from spaces.pretrained import fits
from spaces.registry import Space
from trainables.config import CHOICES, FineTuneConfig

AB_BACKBONES = ("resnet18", "resnet50")
HARD_MINING_SHARE = 0.25
CUTMIX_PROBABILITY = 0.5  # Yun et al. 2019 on CIFAR
BASELINE, PLACEBO = "baseline", "placebo"
# What belongs to a run and not to a winner: trials of one run have to cost and measure alike.
RUN_SETTINGS = (
    "resolution_px",
    "head_epochs",
    "finetune_epochs",
    "last_epoch",
    "batch_size",
    "precision",
    "seed",
)


def interventions(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """The run's own settings as the control, and arms that differ from it in one thing each.

    Arms: balanced loss, more weight on the deformable classes, hard mining, CutMix, the other
    ResNet of 18 and 50 (where the weights exist for it: "embedded" and files leave it out).

    Command: python -m search.run --preset laptop --space interventions --num-trials 6
        --grace-epochs 9
    Cost: 6 trials x 12 epochs, none stopped early. Estimates: 45 minutes on two cores (ResNet-18,
        64 px), three minutes on one H200 (ResNet-50, 224 px).
    For: testing the cures instead of proposing them. One seed resolves a point or so: settle what
        looks like an effect with fresh seeds. Around another run's winner (--around RUN) the arms
        are `aimed_arms`, with several seeds, and `analysis.compare` judges them.
    """
    return around(base)(trial, base)


def around(winner: FineTuneConfig) -> Space:
    """The same design with a winner as the control, at the run's own resolution and epochs."""

    def interventions_around(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
        control = replace(winner, **{name: getattr(base, name) for name in RUN_SETTINGS})
        choices = arms(control)
        return choices[trial.suggest_categorical("arm", tuple(choices))]

    return interventions_around


def arms(control: FineTuneConfig) -> dict[str, FineTuneConfig]:
    """The control first, then each arm; by the name that `arm_of` gives them.

    Where the control has an intervention already, its arm is the control without it.
    """
    variants = (control, *(replace(control, **change) for change in _changes(control)))
    return {arm_of(variant): variant for variant in variants}


def aimed_arms(control: FineTuneConfig, pair: str, placebo: str) -> dict[str, FineTuneConfig]:
    """Cures for one confused pair of classes, by their names; the control first, the placebo last.

    baseline      the control as it is
    pair_weights  the loss counts the pair's two classes more
    hard_mining   a share of the batches holds the pair's pictures alone
    cutmix        CutMix; "no_cutmix" where the control has it
    resnet50      the other ResNet of 18 and 50, where the control's weights exist for it
    placebo       hard mining exactly as above, aimed at a pair that needs no cure

    The placebo tells what batches of two classes do to any model from what aiming does. Another
    control, the baseline trained for as much longer as an arm costs, is left out: every arm has
    the same number of epochs and batches.

    Args:
        control: the winner; an intervention that it has is kept in every arm that changes another.
        pair: to cure, such as "cat+dog".
        placebo: another pair.
    """
    mined = max(control.hard_mining_share, HARD_MINING_SHARE)
    cutmix = _cutmix_switched(control)
    changes: dict[str, dict[str, Any]] = {
        BASELINE: {},
        "pair_weights": {"class_weights": "pair", "pair": pair},
        "hard_mining": {"hard_mining_share": mined, "pair": pair},
        "cutmix" if cutmix["cutmix_probability"] else "no_cutmix": cutmix,
        **{change["backbone"]: change for change in _other_backbones(control)},
        PLACEBO: {"hard_mining_share": mined, "pair": placebo},
    }
    arms = {name: replace(control, **change) for name, change in changes.items()}
    return {name: arm for name, arm in arms.items() if name == BASELINE or arm != control}


def weightings(config: FineTuneConfig) -> tuple[str, ...]:
    """The class weights that a sampler may draw, given what the run says of its classes.

    A pair to aim at is found by looking at a model; "deformable" needs organic classes.
    """
    left_out = ("pair",) if config.organic_classes else ("pair", "deformable")
    return tuple(kind for kind in CHOICES["class_weights"] if kind not in left_out)


def arm_of(config: FineTuneConfig) -> str:
    """Backbone and interventions of a configuration, such as "resnet18+deformable+cutmix"."""
    parts = {
        config.backbone: True,
        config.class_weights: config.class_weights != "none",
        "hard_mining": config.hard_mining_share > 0,
        "cutmix": config.cutmix_probability > 0,
    }
    return "+".join(part for part, present in parts.items() if present)


def _changes(control: FineTuneConfig) -> Iterator[dict[str, Any]]:
    for class_weights in weightings(control):
        yield {"class_weights": class_weights}
    yield {"hard_mining_share": 0.0 if control.hard_mining_share else HARD_MINING_SHARE}
    yield _cutmix_switched(control)
    yield from _other_backbones(control)


def _cutmix_switched(control: FineTuneConfig) -> dict[str, Any]:
    """CutMix where the control has none, none where it has; a batch is mixed in one way."""
    room = 1.0 - control.mixup_probability
    return {
        "cutmix_probability": 0.0 if control.cutmix_probability else min(CUTMIX_PROBABILITY, room)
    }


def _other_backbones(control: FineTuneConfig) -> Iterator[dict[str, Any]]:
    """The other ResNet of 18 and 50, where the control's weights exist for it."""
    for backbone in AB_BACKBONES:
        # "imagenet" is the best that torchvision has for each backbone; ResNet-18 has no V2.
        weights = "imagenet" if control.weights == "imagenet-v2" else control.weights
        if backbone != control.backbone and fits(backbone, weights):
            yield {"backbone": backbone, "weights": weights}
