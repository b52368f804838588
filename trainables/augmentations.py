"""The augmentation policies, a row each: how far a picture is mirrored, turned and scaled.

`trainables.training.augment` applies them. Beware of "adaptive": what is done to a picture then
depends on its label, and the network can read the label off it. A picture that lies on its side, or
whose corners are mirrored far inwards, is organic, for certain; no such mark exists at validation
or test time. So the training accuracy flatters, and part of what is learnt may be the mark and not
the animal. The shift, the flip and the light are the same for both kinds, so as to leave no further
marks.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Warp:
    """Of one picture: turned either way by so much at most, and scaled within these factors."""

    degrees: float
    scale: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One row of `POLICIES`.

    Attributes:
        flips: mirrors half of the pictures left-right.
        rigid, organic: how pictures of rigid and of organic classes are shifted, turned and scaled,
            and their light changed; None: not at all.
    """

    flips: bool = True
    rigid: Warp | None = None
    organic: Warp | None = None

    @property
    def needs_organic(self) -> bool:
        """Whether it treats pictures by their class, so that some class has to be organic."""
        return self.rigid != self.organic


_SLIGHT = Warp(10.0, (0.9, 1.1))
POLICIES = {
    "none": Policy(flips=False),
    "flip": Policy(),
    "standard": Policy(rigid=_SLIGHT, organic=_SLIGHT),  # deck A
    "adaptive": Policy(  # decks B and C
        rigid=Warp(15.0, (0.9, 1.1)), organic=Warp(90.0, (0.75, 1.25))
    ),
}
