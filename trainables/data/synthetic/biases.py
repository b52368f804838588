"""Shortcuts to plant in the synthetic pictures, so that tools that look for them can be scored."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainables.classes import CIFAR10_CLASSES
from trainables.data.synthetic.names import BODY_PLANS, COLOURS, CORNERS, GROUNDS, TEXTURES
from trainables.errors import refuse


@dataclass(frozen=True, kw_only=True)
class Plant:
    """One shortcut: checked by the `Biases` that holds it."""

    classes: tuple[str, ...]
    strength: float  # chance that an image of the classes carries it, 0..1
    look: str = ""  # which ground, colour, texture or corner; empty where there is no choice

    def other(self, label: str) -> str:
        """The partner of one class of a pair."""
        first, second = self.classes
        return second if label == first else first


# Field of `Biases` -> how many classes a plant of that kind names, and its looks.
KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "background": (1, GROUNDS),
    "colour": (1, tuple(COLOURS)),
    "texture": (2, TEXTURES),
    "corner": (1, CORNERS),
    "ambiguous": (2, ("",)),
    "label_noise": (2, ("",)),
}


@dataclass(frozen=True, kw_only=True)
class Biases:
    """What to plant; nothing by default. Raises UserError with all faults at once.

    Attributes:
        background: A ground tied to a class.
        colour: An object colour tied to a class.
        texture: A texture shared by two classes.
        corner: A mark of 4x4 px in a corner of a class's images.
        ambiguous: Two classes drawn as one shape half-way between them, in the colours and on the
            ground of either, so that no classifier can tell them apart.
        label_noise: Two classes whose labels are swapped; the pictures stay as they are.
    """

    background: tuple[Plant, ...] = ()
    colour: tuple[Plant, ...] = ()
    texture: tuple[Plant, ...] = ()
    corner: tuple[Plant, ...] = ()
    ambiguous: tuple[Plant, ...] = ()
    label_noise: tuple[Plant, ...] = ()

    def __post_init__(self) -> None:
        refuse(self._faults())

    def planted(self, kind: str, label: str) -> Plant | None:
        """The plant of a kind (a field's name) that concerns a class."""
        plants: tuple[Plant, ...] = getattr(self, kind)
        return next((plant for plant in plants if label in plant.classes), None)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary; `from_dict` is its inverse."""
        return {
            kind: [{**asdict(plant), "classes": list(plant.classes)} for plant in plants]
            for kind in KINDS
            if (plants := getattr(self, kind))
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Biases":
        """Build from `to_dict`'s output; unknown names are refused, absent ones take defaults."""
        refuse(_unknown_names(values))
        return cls(
            **{
                kind: tuple(
                    Plant(**{**plant, "classes": tuple(plant["classes"])}) for plant in plants
                )
                for kind, plants in values.items()
            }
        )

    def _faults(self) -> Iterator[str]:
        for kind, (count, looks) in KINDS.items():
            taken: set[str] = set()
            for index, plant in enumerate(getattr(self, kind)):
                name = f"{kind}[{index}]"
                yield from _plant_faults(name, plant, count, looks)
                for label in taken.intersection(plant.classes):
                    yield f"{name}.classes repeats {label!r}; allowed: one {kind} a class"
                taken.update(plant.classes)
        for index, plant in enumerate(self.ambiguous):
            if not any(set(plant.classes) <= set(plan) for plan in BODY_PLANS):
                plans = " or ".join(", ".join(plan) for plan in BODY_PLANS)
                yield (
                    f"ambiguous[{index}].classes is {plant.classes}; "
                    f"allowed: two of {plans}, which share a body plan"
                )


def _plant_faults(name: str, plant: Plant, count: int, looks: tuple[str, ...]) -> Iterator[str]:
    unknown = [label for label in plant.classes if label not in CIFAR10_CLASSES]
    if unknown or len(set(plant.classes)) != count or len(plant.classes) != count:
        noun = "class" if count == 1 else "different classes"
        allowed = ", ".join(CIFAR10_CLASSES)
        yield f"{name}.classes is {plant.classes}; allowed: {count} {noun} of {allowed}"
    strength = plant.strength
    if isinstance(strength, bool) or not isinstance(strength, int | float):
        yield f"{name}.strength is {strength!r}; allowed: a number from 0 to 1"
    elif not 0.0 <= strength <= 1.0:
        yield f"{name}.strength is {strength}; allowed: 0 to 1"
    if plant.look not in looks:
        allowed = ", ".join(looks) or "none"
        yield f"{name}.look is {plant.look!r}; allowed: {allowed}"


def _unknown_names(values: Mapping[str, Any]) -> Iterator[str]:
    known = [field.name for field in fields(Plant)]
    for kind, plants in values.items():
        if kind not in KINDS:
            yield f"bias {kind!r} is unknown; allowed: {', '.join(KINDS)}; remove or rename it"
            continue
        for index, plant in enumerate(plants):
            for name in plant:
                if name not in known:
                    yield f"{kind}[{index}].{name} is unknown; allowed: {', '.join(known)}"
            for name in ("classes", "strength"):
                if name not in plant:
                    yield f"{kind}[{index}].{name} is missing; allowed: {', '.join(known)}"
