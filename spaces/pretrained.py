"""Which pre-trained weights fit which backbone: what spaces that vary the backbone must know."""

from collections.abc import Iterable

from trainables.errors import refuse
from trainables.models.weights import NAMES, check_weights

IMAGENET = ("imagenet", "imagenet-v1", "imagenet-v2")


def fits(backbone: str, weights: str) -> bool:
    """Whether weights exist for a backbone; those of a file fit one backbone, which is unknown."""
    return weights in NAMES and not check_weights(backbone, weights)


def has_two_versions(backbone: str) -> bool:
    """Whether torchvision offers ImageNet weights V2 besides V1."""
    return fits(backbone, "imagenet-v2")


def weights_version(backbone: str, weights: str) -> str:
    """`weights`, with torchvision's "imagenet" by the name of the version it stands for."""
    if weights != "imagenet":
        return weights
    return "imagenet-v2" if has_two_versions(backbone) else "imagenet-v1"


def refuse_misfits(backbones: Iterable[str], weights: str) -> None:
    """Raise UserError when weights do not fit all backbones that a space trains."""
    backbones = tuple(dict.fromkeys(backbones))
    misfits = [backbone for backbone in backbones if not fits(backbone, weights)]
    refuse(
        f"weights is {weights!r}, which is not for {backbone}; allowed in a space that trains "
        f"{', '.join(backbones)}: {', '.join(_fitting(backbones))}; use --weights imagenet"
        for backbone in misfits[:1]
    )


def _fitting(backbones: tuple[str, ...]) -> list[str]:
    return [name for name in NAMES if all(fits(backbone, name) for backbone in backbones)]
