"""Which pictures a run works on: the source and the sizes of its stratified parts."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainables.errors import refuse

# Each source and how it is written: "name", "name:ARGUMENT", or both.
SOURCE_FORMS: dict[str, tuple[str, ...]] = {
    "cifar10": ("cifar10", "cifar10:DIR"),
    "imagefolder": ("imagefolder:DIR",),
    "parquet": ("parquet:DIR",),
    "synthetic": ("synthetic",),
}
# Inclusive bounds of the whole numbers.
BOUNDS: dict[str, tuple[int, int]] = {
    "train_size": (1, 10_000_000),
    "val_size": (1, 10_000_000),
    "seed": (0, 2**31 - 1),
    "base_px": (16, 512),
}
MOST_HELD_OUT = 0.5


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """The data of one run; raises UserError with all faults at once.

    Attributes:
        source: "cifar10[:DIR]", "imagefolder:DIR", "parquet:DIR" or "synthetic".
        train_size: training pictures, drawn stratified from the source's training pool.
        val_size: validation pictures, drawn likewise and disjoint from the training ones.
        seed: of the draw; one seed is one split, on every machine.
        base_px: side of the stored pictures; those of another size are resized once.
        held_out: share of each class of an image folder without a test that is the sealed test.
    """

    source: str = "cifar10"
    train_size: int = 10_000
    val_size: int = 2_000
    seed: int = 0
    base_px: int = 32
    held_out: float = 0.0

    def __post_init__(self) -> None:
        refuse(self._faults())

    @property
    def source_name(self) -> str:
        return self.source.partition(":")[0]

    @property
    def source_argument(self) -> str | None:
        """What follows the colon; None when there is none."""
        return self.source.partition(":")[2] or None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DataSpec":
        """Build from `to_dict`'s output; unknown names are refused, absent ones take defaults."""
        known = [field.name for field in fields(cls)]
        refuse(
            f"data setting {name!r} is unknown; allowed: {', '.join(known)}; remove or rename it"
            for name in values
            if name not in known
        )
        return cls(**values)

    def _faults(self) -> Iterator[str]:
        if not self._source_is_well_formed():
            allowed = ", ".join(form for forms in SOURCE_FORMS.values() for form in forms)
            yield f"source is {self.source!r}; allowed: {allowed}; choose one of these"
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                yield (
                    f"{name} is {value!r}; allowed: a whole number from {low} to {high}; "
                    "choose one in that range"
                )

        if not isinstance(self.held_out, int | float) or not 0 <= self.held_out <= MOST_HELD_OUT:
            yield f"held_out is {self.held_out!r}; allowed: a share from 0 to {MOST_HELD_OUT:g}"
        elif self.held_out and self._source_is_well_formed() and self.source_name != "imagefolder":
            yield (
                f"held_out is {self.held_out:g} with {self.source}; allowed: 0, as its test is "
                "its own; only imagefolder:DIR may lack one"
            )

    def _source_is_well_formed(self) -> bool:
        if not isinstance(self.source, str):
            return False
        name, colon, argument = self.source.partition(":")
        written = f"{name}:DIR" if argument else name + colon
        return written in SOURCE_FORMS.get(name, ())
