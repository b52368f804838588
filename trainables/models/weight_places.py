"""Where in a file a ResNet lies: the one place whose names, less a common prefix, are its own.

Files are made by others: a training script nests the state dict, wrappers put prefixes before the
names, a self-supervised method keeps two networks, and heads are called anything. torchvision's and
timm's ResNets call the backbone's tensors alike.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torchvision.models import get_model

from trainables.config import CHOICES
from trainables.errors import UserError

TOP = "."  # what the place is called whose names have no prefix
_SIGN = "layer1.0.conv1.weight"  # of every ResNet
_OF_THE_BACKBONE = re.compile(r"(conv1|bn1|layer\d+)\.")
_COUNTER = "num_batches_tracked"  # absent before PyTorch 0.4.1; no forward pass here reads it
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Place:
    """A ResNet in a file: its dotted place, and its tensors by torchvision's names, no head."""

    name: str
    tensors: dict[str, Any]

    def differences(self, backbone: str) -> dict[str, list[str]]:
        """From a backbone, by kind, in torchvision's order; {} where it fits."""
        expected = expected_state(backbone)
        found = {
            "missing": [
                name
                for name in expected
                if name not in self.tensors and not name.endswith(_COUNTER)
            ],
            "unexpected": sorted(self.tensors.keys() - expected.keys()),
            "mismatched": [
                f"{name} {_told(self.tensors[name])} instead of {_told(value)}"
                for name, value in expected.items()
                if name in self.tensors and not _is_like(self.tensors[name], value)
            ],
        }
        return {kind: names for kind, names in found.items() if names}

    def canonical(self, backbone: str, origin: str) -> dict[str, Tensor]:
        """In torchvision's order, float32 (integers as they are); UserError for NaN or infinity."""
        expected = expected_state(backbone)
        zeros = {
            name: torch.zeros_like(value, device="cpu")
            for name, value in expected.items()
            if name not in self.tensors
        }  # counters of an old file
        given = self.tensors | zeros
        state = {name: given[name].detach().to(value.dtype) for name, value in expected.items()}
        broken = [name for name, value in state.items() if not value.isfinite().all()]
        if broken:
            raise UserError(
                f"{origin} hold NaN or infinity: {_listed('not finite', broken)}; allowed: finite "
                "numbers; save or download them again"
            )
        return state


@cache
def expected_state(backbone: str) -> dict[str, Tensor]:
    """Names, shapes and dtypes without memory or initialisation: tensors on the meta device."""
    with torch.device("meta"):
        state = get_model(backbone, weights=None).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


def find_backbone(named: dict[str, Any], backbone: str, *, choice: str, origin: str) -> Place:
    """The one place that fits the backbone.

    Args:
        named: the file's values by dotted name.
        backbone: torchvision's name.
        choice: a place's name or some whole parts of it in a row, where the user chose; "": none.
        origin: what an error calls the file, such as "weights 'x.pth'".

    Raises:
        UserError: no place fits, or more than one: nothing is guessed.
    """
    places = _places(named)
    if not places:
        raise UserError(_without_resnet(named, origin))
    chosen = _called(choice, places) if choice else places
    if not chosen:
        raise UserError(
            f"{origin} hold no network at {choice!r}; allowed: {_names(places)}; choose one of them"
        )
    fitting = [place for place in chosen if not place.differences(backbone)]
    if not fitting:
        raise UserError(_misfit(chosen, backbone, origin))
    if len(fitting) > 1:
        raise UserError(
            f"{origin} hold {len(fitting)} networks that fit {backbone}: {_names(fitting)}; "
            f"allowed: one of them; choose it, such as --weights FILE#{fitting[-1].name or TOP}"
        )
    return fitting[0]


def left_out(names: Iterable[str], place: Place) -> list[str]:
    """What of a file is not taken, in as few dotted names as tell it, in the file's order."""
    before = f"{place.name}." if place.name else ""
    taken = {before + name for name in place.tensors}
    holders = {_head(name, depth) for name in taken for depth in range(name.count(".") + 1)}
    others: dict[str, None] = {}
    for name in names:
        if name not in taken:
            depths = range(1, name.count(".") + 2)
            others |= dict.fromkeys(
                [next((h for d in depths if (h := _head(name, d)) not in holders), name)]
            )
    return [*others]


def _places(named: dict[str, Any]) -> list[Place]:
    before = [name.removesuffix(_SIGN) for name in named if name.endswith(_SIGN)]
    return [_place(prefix, named) for prefix in before if not prefix or prefix.endswith(".")]


def _place(prefix: str, named: dict[str, Any]) -> Place:
    inside = {
        name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)
    }
    own = {name: value for name, value in inside.items() if _OF_THE_BACKBONE.match(name)}
    return Place(name=prefix.removesuffix("."), tensors=own)


def _called(choice: str, places: list[Place]) -> list[Place]:
    """The place of exactly that name, else all whose names have these parts in a row."""
    exactly = [place for place in places if (place.name or TOP) == choice]
    return exactly or [place for place in places if f".{choice}." in f".{place.name}."]


def _misfit(places: list[Place], backbone: str, origin: str) -> str:
    for place in places:
        for other in CHOICES["backbone"]:
            if not place.differences(other):
                return (
                    f"{origin} are a {other}'s, and the backbone is {backbone!r}; allowed: weights "
                    f"of the backbone; use --backbone {other}, or other weights"
                )
    # Of the backbone that was asked for, or of one that is nearer.
    backbones = sorted(CHOICES["backbone"], key=lambda name: name != backbone)
    place, nearest = min(
        ((place, name) for place in places for name in backbones),
        key=lambda pair: sum(map(len, pair[0].differences(pair[1]).values())),
    )
    differences = [_listed(kind, names) for kind, names in place.differences(nearest).items()]
    where = f" (at {place.name})" if place.name else ""
    return (
        f"{origin}{where} do not fit {backbone}, nor another: of a {nearest}, "
        f"{'; '.join(differences)}; allowed: torchvision's or timm's names and shapes of "
        f"{', '.join(CHOICES['backbone'])}, with any head; choose weights of one of them (ResNeXt, "
        "wide and CIFAR's 3x3 stem are others)"
    )


def _without_resnet(named: dict[str, Any], origin: str) -> str:
    tensors = [name for name, value in named.items() if isinstance(value, Tensor)]
    if "" in named:
        lone = named[""]
        kind = f"tensor {_told(lone)}" if isinstance(lone, Tensor) else type(lone).__name__
        held = "nothing" if isinstance(lone, dict) else f"a lone {kind}"
    else:
        shown = _listed("names", tensors or [*named]) if named else "nothing"
        held = f"{shown}, none of them {_SIGN}"
    return (
        f"{origin} hold {held}; allowed: a ResNet's tensors by torchvision's or timm's names, "
        "nested and prefixed in any way; save them with "
        'torch.save(model.state_dict(), "weights.pth")'
    )


def _is_like(value: Any, expected: Tensor) -> bool:
    return (
        isinstance(value, Tensor)
        and value.shape == expected.shape
        and (value.is_floating_point() or not expected.is_floating_point())
        and value.layout == torch.strided
        and not value.is_meta
    )


def _told(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    plain = value.is_floating_point() and value.layout == torch.strided
    return str(tuple(value.shape)) + ("" if plain else f" {value.dtype}")


def _names(places: list[Place]) -> str:
    return ", ".join(place.name or f"{TOP} (the top)" for place in places)


def _head(name: str, depth: int) -> str:
    """The first parts of a dotted name; depth 0: none."""
    return ".".join(name.split(".")[:depth])


def _listed(kind: str, names: Collection[str]) -> str:
    """Such as "2 missing (bn1.bias, conv1.weight)"."""
    shown = [*names][:_SHOWN]
    return f"{len(names)} {kind} ({', '.join(shown)}{', ...' if len(names) > _SHOWN else ''})"
