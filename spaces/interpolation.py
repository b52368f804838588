"""An A/B of interpolation kernels."""

from dataclasses import replace

from optuna import Trial

from spaces import dimensions
from trainables.config import CHOICES, FineTuneConfig
from trainables.errors import UserError


def interpolation(trial: Trial, base: FineTuneConfig) -> FineTuneConfig:
    """Five arms, each at a differential-rate ratio of its own: four kernels, and no enlargement.

    Without enlargement a trial sees the native 32 px, costs a fraction of the others, and has to
    move its backbone furthest: hence the ratio.

    Command: python -m search.run --preset laptop --space interpolation
    Cost: 16 trials x 12 epochs at most, of which ASHA runs about a third. Estimates: an hour on two
        cores (ResNet-18, 64 px); five minutes on one H200 (ResNet-50, 224 px). --grace-epochs 9
        lets every trial end, for three times the price.
    For: "bicubic beats bilinear" (decks A, B, C, D). On 2,000 validation pictures one seed resolves
        a point or so, kernels differ by less: settle it with fresh seeds.

    Raises:
        UserError: the run's resolution is the native one, where all arms are the same.
    """
    if base.resolution_px == dimensions.NATIVE_PX:
        raise UserError(
            f"--resolution is {base.resolution_px}, at which pictures are not resized and every "
            "kernel does the same; allowed in space interpolation: another one; use --resolution 64"
        )
    kernel = dimensions.interpolation(trial, CHOICES["interpolation"])
    return replace(
        base,
        interpolation=kernel,
        resolution_px=dimensions.NATIVE_PX if kernel == "none" else base.resolution_px,
        backbone_lr_ratio=dimensions.backbone_lr_ratio(trial),
    )
