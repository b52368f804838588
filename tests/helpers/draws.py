"""Draws from a space by its name, and the runs' settings that spaces have to suit."""

from spaces.registry import load_space, quiet_study
from trainables.config import FineTuneConfig

# Random weights fit every backbone and need no file, so every space suits this run.
ANY_SPACE = FineTuneConfig(weights="none", resolution_px=64, head_epochs=1, finetune_epochs=6)
BASES = {
    "any space": ANY_SPACE,
    "laptop": FineTuneConfig(head_epochs=3, finetune_epochs=9, resolution_px=64),
    "imagenet": FineTuneConfig(backbone="resnet50", weights="imagenet", resolution_px=224),
    "deep": FineTuneConfig(backbone="resnet101", weights="imagenet-v2", resolution_px=96),
    "native": FineTuneConfig(resolution_px=32, interpolation="none"),
    "short": FineTuneConfig(backbone="resnet34", weights="none", head_epochs=1, finetune_epochs=1),
}


def draw(name: str, seed: int, base: FineTuneConfig = ANY_SPACE) -> FineTuneConfig:
    """A random configuration of a named space, a function of the arguments alone."""
    return load_space(name)(quiet_study(seed=seed).ask(), base)
