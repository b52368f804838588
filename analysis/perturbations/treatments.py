"""The list of what is done to the sampled pictures: each entry is one pass through the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.perturbations.changes import (
    RADII,
    ROTATIONS_DEGREES,
    SIDES,
    TEXTURES,
    TILES_OF_32_PX,
    TINT_DEGREES,
    Region,
    add_noise,
    blue_share,
    blur,
    inject_matched_noise,
    inject_texture,
    only_background,
    replace_half,
    rotate_hue,
    shuffle_tiles,
    swap_background,
    tint,
)
from analysis.perturbations.donors import (
    FEWEST_DONORS,
    Images,
    donors_of,
    extreme_donors,
    other_class_donors,
    same_class_donors,
)
from analysis.statistics.metrics import IntArray

Family = Literal["background", "sky", "colour", "shape", "texture", "halves"]
Changed = tuple[Images, IntArray | None]  # pictures, and their donors' positions in the sample
SKY_ROTATION_DEGREES = 120.0  # from blue to red
FEWEST_FOR_THIRDS = 6  # pictures of a class


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The pictures that the battery works on.

    Attributes:
        images: uint8 (n, S, S, 3).
        labels: int64 (n,).
        class_names: K names.
    """

    images: Images
    labels: IntArray
    class_names: tuple[str, ...]

    def rows(self, *, fewest: int, classes: tuple[str, ...] = ()) -> IntArray:
        """Positions of the pictures of classes with `fewest` or more; of those named, if any."""
        wanted = np.bincount(self.labels, minlength=len(self.class_names)) >= fewest
        if classes:
            wanted &= np.isin(self.class_names, classes)
        return np.flatnonzero(wanted[self.labels])

    def part(self, share: float) -> IntArray:
        """Positions of the first `share` of each class, rounded up."""
        order = np.zeros(len(self.labels), np.int64)
        for label in np.unique(self.labels):
            members = np.flatnonzero(self.labels == label)
            order[members] = np.arange(len(members)) / len(members) >= share
        return np.flatnonzero(order == 0)

    def select(self, rows: IntArray) -> "Sample":
        return Sample(
            images=self.images[rows], labels=self.labels[rows], class_names=self.class_names
        )


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """One variant and draw of some of the pictures.

    Attributes:
        variant: its name in the table.
        draw: 0, 1, ... of a variant that is drawn anew.
        rows: positions in the sample.
        change: of the sample's part at `rows`, with a generator of its own, to the pictures.
    """

    variant: str
    draw: int
    rows: IntArray
    change: Callable[[Sample, np.random.Generator], Changed]


Change = Callable[[Sample, np.random.Generator], Changed]


def plan(
    sample: Sample,
    *,
    num_draws: int,
    blur_sigmas: Mapping[int, float],
    noise_levels: Mapping[int, float],
    families: tuple[Family, ...],
    sky_classes: tuple[str, ...] = (),
    half_pairs: tuple[tuple[str, str], ...] = (),
) -> list[Treatment]:
    """All treatments of the wanted families that the sample allows.

    Args:
        sample: the pictures.
        num_draws: of donors for backgrounds and for the sky.
        blur_sigmas: tile -> the blur that costs as much accuracy as shuffling such tiles.
        noise_levels: tile -> likewise the noise.
        families: what to do.
        sky_classes: classes that get blue and other frames.
        half_pairs: pairs of classes that lend each other their halves.
    """
    everything = np.arange(len(sample.labels))
    entries: list[tuple[Family, str, int, IntArray, Change]] = []

    def add(family: Family, variant: str, rows: IntArray, change: Change, draws: int = 1) -> None:
        entries.extend((family, variant, draw, rows, change) for draw in range(draws))

    lent = sample.rows(fewest=FEWEST_DONORS)
    if len(np.unique(sample.labels[lent])) > 1:
        for region in RADII:
            add("background", f"{region}_same", lent, _background(region, same_class), num_draws)
            add("background", f"{region}_other", lent, _background(region, other_class), num_draws)
        add("background", "ellipse_placebo", lent, _background("ellipse", same_class))
        add("background", "only_background", lent, _only_background)

    thirds = sample.rows(fewest=FEWEST_FOR_THIRDS, classes=sky_classes)
    if sky_classes and len(thirds):
        add("sky", "frame_blue", thirds, _blue_frame, num_draws)
        add("sky", "frame_turned", thirds, _turned_frame, num_draws)
        add("sky", "frame_not_blue", thirds, _other_frame, num_draws)

    for degrees in ROTATIONS_DEGREES:
        add("colour", f"hue_{degrees}", everything, _hue(degrees))
    for colour in TINT_DEGREES:
        add("colour", f"tint_{colour}", sample.part(0.5), _tint(colour))

    for tile in TILES_OF_32_PX:
        add("shape", f"shuffle_{tile}", everything, _shuffle(tile))
        add("shape", f"blur_as_shuffle_{tile}", everything, _blur(blur_sigmas.get(tile, 0.0)))
    for tile in TILES_OF_32_PX[:1]:
        add("shape", f"noise_as_shuffle_{tile}", everything, _noise(noise_levels.get(tile, 0.0)))

    for name in TEXTURES:
        add("texture", f"texture_{name}", everything, _texture(name))
        add("texture", f"noise_like_{name}", everything, _texture_noise(name))

    for pair in half_pairs:
        rows = sample.rows(fewest=FEWEST_DONORS, classes=pair)
        if len(np.unique(sample.labels[rows])) == 2:
            for side in SIDES:
                add("halves", f"{side}_of_same", rows, _half(side, same_class))
                add("halves", f"{side}_of_partner", rows, _half(side, partner))
    return [
        Treatment(variant=variant, draw=draw, rows=rows, change=change)
        for family, variant, draw, rows, change in entries
        if family in families
    ]


Donors = Callable[[Sample, np.random.Generator], IntArray]


def same_class(sample: Sample, rng: np.random.Generator) -> IntArray:
    return same_class_donors(sample.labels, rng)


def other_class(sample: Sample, rng: np.random.Generator) -> IntArray:
    return other_class_donors(sample.labels, rng)


def partner(sample: Sample, rng: np.random.Generator) -> IntArray:
    """From the other class of a sample of two."""
    first, second = np.unique(sample.labels)
    return donors_of(first + second - sample.labels, sample.labels, rng)


def _background(region: Region, choose: Donors) -> Change:
    def change(sample: Sample, rng: np.random.Generator) -> Changed:
        donors = choose(sample, rng)
        return swap_background(sample.images, sample.images[donors], region), donors

    return change


def _only_background(sample: Sample, rng: np.random.Generator) -> Changed:
    return only_background(sample.images), None


def _framed(*, blue: bool, turned: bool) -> Change:
    def change(sample: Sample, rng: np.random.Generator) -> Changed:
        donors = extreme_donors(blue_share(sample.images), sample.labels, rng, highest=blue)
        frames = sample.images[donors]
        frames = rotate_hue(frames, SKY_ROTATION_DEGREES) if turned else frames
        return swap_background(sample.images, frames, "frame"), donors

    return change


_blue_frame = _framed(blue=True, turned=False)
_turned_frame = _framed(blue=True, turned=True)  # same generator, same donors, another hue
_other_frame = _framed(blue=False, turned=False)


def _hue(degrees: float) -> Change:
    return lambda sample, rng: (rotate_hue(sample.images, degrees), None)


def _tint(colour: str) -> Change:
    return lambda sample, rng: (tint(sample.images, colour), None)


def _shuffle(tile: int) -> Change:
    return lambda sample, rng: (shuffle_tiles(sample.images, tile, rng), None)


def _blur(sigma: float) -> Change:
    return lambda sample, rng: (blur(sample.images, sigma), None)


def _noise(level: float) -> Change:
    return lambda sample, rng: (add_noise(sample.images, level, rng), None)


def _texture(name: str) -> Change:
    return lambda sample, rng: (inject_texture(sample.images, name, rng), None)


def _texture_noise(name: str) -> Change:
    return lambda sample, rng: (inject_matched_noise(sample.images, name, rng), None)


def _half(side: Literal["top", "bottom", "left", "right"], choose: Donors) -> Change:
    def change(sample: Sample, rng: np.random.Generator) -> Changed:
        donors = choose(sample, rng)
        return replace_half(sample.images, sample.images[donors], side), donors

    return change
