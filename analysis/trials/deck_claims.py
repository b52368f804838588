"""The decks' claims about settings, each as a contrast that a run may or may not decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.statistics.metrics import FloatArray
from analysis.trials.compared_trials import Setting
from analysis.trials.linear_model import RegressionDesign

DECK_SETTINGS = (
    *("interpolation", "unfreeze", "backbone_lr_ratio"),
    *("cutmix", "cutmix_probability"),
)

Contrast = Callable[[RegressionDesign, Mapping[str, Setting]], FloatArray | None]


@dataclass(frozen=True, kw_only=True)
class DeckClaim:
    """A claim that is true where a contrast is positive.

    Attributes:
        claim: the assertion.
        effect: what the number in its sentence is.
        wants: what a run must do to decide it, after "the run did not".
        contrast: of the coefficients; None where the run did not do that.
    """

    claim: str
    effect: str
    wants: str
    contrast: Contrast


def _bicubic(design: RegressionDesign, settings: Mapping[str, Setting]) -> FloatArray | None:
    setting = _fitted(design, settings, "interpolation")
    if setting is None or not {"bicubic", "bilinear"} <= set(setting.levels):
        return None
    return design.level(setting, "bicubic") - design.level(setting, "bilinear")


def _deeper(design: RegressionDesign, settings: Mapping[str, Setting]) -> FloatArray | None:
    setting = _fitted(design, settings, "unfreeze")
    return None if setting is None or setting.levels else design.slope(setting)


def _smaller_ratio(design: RegressionDesign, settings: Mapping[str, Setting]) -> FloatArray | None:
    setting = _fitted(design, settings, "backbone_lr_ratio")
    return None if setting is None or not setting.is_log else -design.slope(setting)


def _cutmix(design: RegressionDesign, settings: Mapping[str, Setting]) -> FloatArray | None:
    setting = _fitted(design, settings, "cutmix")
    if setting is None or setting.levels != ("False", "True"):
        return None
    return design.level(setting, "True") - design.level(setting, "False")


def _fitted(design: RegressionDesign, settings: Mapping[str, Setting], name: str) -> Setting | None:
    return settings[name] if name in design.first_columns else None


DECK_CLAIMS = (
    DeckClaim(
        claim="Bicubic interpolation beats bilinear",
        effect="bicubic against bilinear",
        wants="try both kernels in a way that tells them apart from its other settings",
        contrast=_bicubic,
    ),
    DeckClaim(
        claim="Deeper unfreezing helps",
        effect="twice as many unfrozen layers",
        wants="vary the unfreeze depth in a way that tells it apart from its other settings",
        contrast=_deeper,
    ),
    DeckClaim(
        claim="A smaller backbone rate than the head's helps",
        effect="a tenth of the ratio of backbone to head rate",
        wants="vary the ratio of the rates over a decade, apart from its other settings",
        contrast=_smaller_ratio,
    ),
    DeckClaim(
        claim="CutMix helps",
        effect="CutMix on against off",
        wants="turn CutMix on and off in a way that tells it apart from its other settings",
        contrast=_cutmix,
    ),
)
