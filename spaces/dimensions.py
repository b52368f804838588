"""The dimensions that spaces are made of: each a suggestion, its range and the reason for it.

A parameter in the study bears the name of the setting it becomes; where that cannot be (a switch
that has no setting of its own, a range that depends on the optimiser), `parameters` translates.
The same dimensions as a table, with references: docs/dimensions.md.
"""

from typing import Any

from optuna import Trial

from spaces.decks import deck_of
from spaces.interventions import arm_of, weightings
from spaces.pretrained import weights_version
from trainables.augmentations import POLICIES
from trainables.backbones import BACKBONES, unfrozen_layers
from trainables.config import CHOICES, FineTuneConfig

NATIVE_PX = 32  # at this resolution pictures are not resized, and every kernel does the same
GRADUAL_STAGES = 4  # gradual unfreezing wants an epoch for each of its stages
KERNELS = tuple(kernel for kernel in CHOICES["interpolation"] if kernel != "none")
_PATIENCES = (3, 5)  # epochs


def parameters(config: FineTuneConfig) -> dict[str, Any]:
    """The study's parameters that lead to a configuration: the inverse of every space here.

    More names than any one space asks for; a study passes over those that are not asked.
    """
    deck = deck_of(config)
    return {
        **config.to_dict(),
        "weights": weights_version(config.backbone, config.weights),
        "cutmix": config.cutmix_probability > 0,
        "mixup": config.mixup_probability > 0,
        "hard_mining": config.hard_mining_share > 0,
        "head_lr_sgd": config.head_lr,
        "weight_decay_sgd": config.weight_decay,
        "arm": arm_of(config),
        **({"deck": deck} if deck else {}),
    }


# ---- Model


def imagenet_weights(trial: Trial) -> str:
    """V1 or V2 of a backbone that has both."""
    # V2 is the better classifier, trained 600 epochs with mixing, smoothing and EMA. Such recipes
    # cost features (Kornblith 2019), so V1 may win phase 1 and V2 phase 2: measured, not assumed.
    return trial.suggest_categorical("weights", ("imagenet-v1", "imagenet-v2"))


def head(trial: Trial) -> str:
    """Linear, Dense 128-64, or Dense with BatchNorm and dropout (decks A, C, D, E)."""
    # A linear head is what published transfer figures use.
    return trial.suggest_categorical("head", CHOICES["head"])


def dropout(trial: Trial) -> float:
    """In the head, whatever its kind; 0.5 is the decks' own value."""
    return trial.suggest_float("dropout", 0.0, 0.5, step=0.1)


# ---- Pixels


def interpolation(trial: Trial, choices: tuple[str, ...] = KERNELS) -> str:
    """The kernel that enlarges the pictures (decks A, B, C, D); to be asked above 32 px only."""
    # Bicubic is said to beat bilinear. No controlled figure is public; the two are expected to
    # differ by less than one seed resolves.
    return trial.suggest_categorical("interpolation", choices)


def preprocessing(trial: Trial) -> str:
    """Mean and scale of the pixels (decks C, E)."""
    # torchvision's weights were trained on "imagenet"; the other two shift what BatchNorm expects.
    return trial.suggest_categorical("preprocessing", CHOICES["preprocessing"])


def augmentation(trial: Trial, config: FineTuneConfig) -> str:
    """The Albumentations policy (decks A, B, C); "adaptive" where the run has organic classes."""
    policies = CHOICES["augmentation"]
    if not config.organic_classes:
        policies = tuple(name for name in policies if not POLICIES[name].needs_organic)
    return trial.suggest_categorical("augmentation", policies)


def cutmix_probability(trial: Trial) -> float:
    """The share of the batches that CutMix mixes (decks A, B); off in half of the trials."""
    # Mixing lengthens what a short fine-tune needs to converge: CutMix pays in runs of hundreds of
    # epochs, here there are twenty.
    return _share(trial, "cutmix_probability", switch="cutmix")


def cutmix_alpha(trial: Trial) -> float:
    """Of the Beta distribution of the pasted area; where CutMix is on."""
    # 1 is the paper's: all areas alike. Less keeps one picture nearly whole.
    return trial.suggest_float("cutmix_alpha", 0.3, 3.0, log=True)


def mixup_probability(trial: Trial) -> float:
    """The share of the batches that MixUp mixes (decks A, B); off in half of the trials."""
    # BiT's rule for fine-tuning: no MixUp below 20,000 pictures, and there are 10,000.
    return _share(trial, "mixup_probability", switch="mixup")


def mixup_alpha(trial: Trial) -> float:
    """Of the Beta distribution of the blend; where MixUp is on."""
    # The paper takes 0.1 to 0.4 on ImageNet and 1 on CIFAR-10 from scratch.
    return trial.suggest_float("mixup_alpha", 0.1, 1.0, log=True)


# ---- Examples


def class_weights(trial: Trial, config: FineTuneConfig) -> str:
    """Weighted cross-entropy (decks A, B); "deformable" where the run has organic classes."""
    # "balanced" changes nothing on a stratified sample of CIFAR-10: there it is a placebo.
    return trial.suggest_categorical("class_weights", weightings(config))


def deformable_factor(trial: Trial) -> float:
    """Weight of the organic classes over the rigid; where class_weights is "deformable"."""
    return trial.suggest_float("deformable_factor", 1.1, 3.0, log=True)


def hard_mining_share(trial: Trial) -> float:
    """The share of the batches made of confused pairs alone (decks A, B); off in half."""
    # All batches would be another class distribution than the one that is measured: half at most.
    return _share(trial, "hard_mining_share", switch="hard_mining")


# ---- Phase 2


def unfreeze(trial: Trial) -> str:
    """How much of the backbone phase 2 trains (decks A, C, D)."""
    # "all" with small rates must be reachable: static freezing costs accuracy (AutoFreeze).
    return trial.suggest_categorical("unfreeze", CHOICES["unfreeze"])


def unfreezes_several_stages(backbone: str, unfreeze: str) -> bool:
    """Whether a depth reaches below layer4, so that stages can have rates of their own."""
    return unfrozen_layers(backbone, unfreeze) > BACKBONES[backbone].layers_from("layer4")


def unfreeze_mode(trial: Trial) -> str:
    """At once or from the top down (deck D); to be asked of four fine-tune epochs or more."""
    return trial.suggest_categorical("unfreeze_mode", CHOICES["unfreeze_mode"])


def backbone_lr_ratio(trial: Trial) -> float:
    """Backbone rate over head rate (decks A, B)."""
    # The decks take 0.1 or less; ULMFiT's factor of 2.6 a layer group spans about as much.
    return trial.suggest_float("backbone_lr_ratio", 0.03, 1.0, log=True)


def layer_decay(trial: Trial) -> float:
    """A stage's rate over that of the stage above; where more than one stage is unfrozen."""
    # From 1 (one rate) past ULMFiT's 1 / 2.6 = 0.38.
    return trial.suggest_float("layer_decay", 0.3, 1.0)


def batchnorm(trial: Trial) -> str:
    """Whether the unfrozen BatchNorms go on estimating (phase 1 never does)."""
    # Enlarged pictures have other statistics than ImageNet's, which speaks for "train"; small
    # batches speak for "frozen".
    return trial.suggest_categorical("batchnorm", CHOICES["batchnorm"])


def early_stopping_epochs(trial: Trial, finetune_epochs: int) -> int:
    """Patience in epochs, 0 for never (deck D); where the schedule has no planned end.

    One cycle and cosine do best in their last epochs: to stop them early forfeits what they are
    for. A patience that phase 2 is too short for is not offered.
    """
    patiences = tuple(epochs for epochs in _PATIENCES if epochs < finetune_epochs)
    return trial.suggest_categorical("early_stopping_epochs", (0, *patiences))


# ---- Both phases


def optimizer(trial: Trial) -> str:
    """AdamW, or SGD with Nesterov momentum."""
    return trial.suggest_categorical("optimizer", CHOICES["optimizer"])


def head_lr(trial: Trial, optimizer: str) -> float:
    """The head's peak rate, in a range of the optimiser's own."""
    # One cycle reaches its peak only briefly, so the range is wide upwards. A short learning-rate
    # finder (Smith 2017) narrows it for pictures and backbones that are not the ones here.
    if optimizer == "sgd":
        return trial.suggest_float("head_lr_sgd", 3e-3, 3e-1, log=True)
    return trial.suggest_float("head_lr", 5e-4, 2e-2, log=True)


def weight_decay(trial: Trial, optimizer: str) -> float:
    """Decoupled under AdamW; under SGD it is L2, which wants far less (decks C, D, E)."""
    if optimizer == "sgd":
        return trial.suggest_float("weight_decay_sgd", 1e-6, 1e-3, log=True)
    return trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True)


def schedule(trial: Trial) -> str:
    """Of the rates, one cycle a stage of training (decks A, B, C, D)."""
    return trial.suggest_categorical("schedule", CHOICES["schedule"])


def label_smoothing(trial: Trial) -> float:
    """Mass taken from the true class (decks C, D, E): 0, 0.05 or 0.1."""
    # It costs features in pre-training (Kornblith 2019) and helps a little in fine-tuning. The
    # validation loss is measured without it, so trials compare all the same.
    return trial.suggest_float("label_smoothing", 0.0, 0.1, step=0.05)


def ema_decay(trial: Trial) -> float:
    """Of the evaluated weights: off, or the mean of about 50 or 200 steps."""
    # A longer memory than phase 2 would still hold the weights it began with.
    return trial.suggest_categorical("ema_decay", (0.0, 0.98, 0.995))


def _share(trial: Trial, name: str, *, switch: str) -> float:
    """A share of the batches up to a half; "off" is as likely as all other values together."""
    if not trial.suggest_categorical(switch, (False, True)):
        return 0.0
    return trial.suggest_float(name, 0.1, 0.5)
