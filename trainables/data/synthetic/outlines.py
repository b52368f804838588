"""Flat outlines: ellipses, tubes and smooth curves, and how they are filled into pixels.

An object is a list of `Part`s in painting order, in a plane whose y axis points up. `fill` fits it
into the picture and paints it at `SUPERSAMPLING` times the picture's resolution, so that the mean
over each pixel is anti-aliased colour and coverage.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pixels = NDArray[np.floating]
Ranges = Mapping[str, tuple[float, float]]
Measures = Mapping[str, float]  # one draw from Ranges
Palette = Mapping[str, tuple[float, float, float]]

SIZE_PX = 32
SUPERSAMPLING = 4
FRACTION_BITS = 4  # of cv2's fixed-point coordinates

_TURN = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


class Part(NamedTuple):
    """One filled outline: (n, 2) points, the paint's name in the palette, its brightness."""

    outline: Points
    paint: str
    shade: float = 1.0


class Placement(NamedTuple):
    """Where an object lies in the picture; lengths in widths of the picture."""

    extent: float  # of the object: 3/4 its bounding box's longer side, 1/4 the shorter
    centre: tuple[float, float]  # of that box, from the top left
    tilt: float  # radians, counter-clockwise
    mirrored: bool


def sample(ranges: Ranges, rng: np.random.Generator) -> dict[str, float]:
    """One uniform draw from each (low, high) range; the same count of draws for the same names."""
    draws = rng.random(len(ranges))
    pairs = zip(ranges.items(), draws.tolist(), strict=True)
    return {name: low + (high - low) * draw for (name, (low, high)), draw in pairs}


def halfway(first: Ranges, second: Ranges) -> dict[str, tuple[float, float]]:
    """The ranges in the middle between two tables of the same names."""
    return {
        name: ((low + second[name][0]) / 2, (high + second[name][1]) / 2)
        for name, (low, high) in first.items()
    }


def polar(length: float, angle: float) -> Points:
    """The vector of that length and angle (radians from +x towards +y)."""
    return np.array([length * np.cos(angle), length * np.sin(angle)])


def offset(point: Points, x: float, y: float) -> Points:
    """The point moved by (x, y)."""
    return np.array([point[0] + x, point[1] + y])


def ellipse(
    centre: Sequence[float] | Points, radii: tuple[float, float], tilt: float = 0
) -> Points:
    """Sixteen points around an ellipse."""
    points = _CIRCLE * radii
    if tilt:
        cos, sin = np.cos(tilt), np.sin(tilt)
        points = points @ np.array([[cos, sin], [-sin, cos]])
    return points + centre


def tube(spine: Sequence[Sequence[float] | Points], radii: Sequence[float]) -> Points:
    """The outline of a limb: a spine of two or more points and the half width at each."""
    line = np.asarray(spine, dtype=np.float64)
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across *= (np.asarray(radii) / (np.hypot(along[:, 0], along[:, 1]) + 1e-9))[:, None]
    return np.concatenate([line + across, (line - across)[::-1]])


def curve(control: Sequence[Sequence[float] | Points], samples: int = 4) -> Points:
    """The closed Catmull-Rom spline through the control points, `samples` points a segment."""
    here = np.asarray(control, dtype=np.float64)
    before, after, later = (np.roll(here, shift, axis=0) for shift in (1, -1, -2))
    t = (np.arange(samples) / samples)[None, :, None]
    p, q, r, s = (points[:, None, :] for points in (before, here, after, later))
    blend = q + 0.5 * t * ((r - p) + t * ((2 * p - 5 * q + 4 * r - s) + t * (3 * (q - r) + s - p)))
    return blend.reshape(-1, 2)


def mirrored(parts: Iterable[Part]) -> list[Part]:
    """The parts reflected in the y axis."""
    return [part._replace(outline=part.outline * (-1.0, 1.0)) for part in parts]


def fill(parts: Sequence[Part], palette: Palette, placement: Placement) -> tuple[Pixels, Pixels]:
    """Paint the parts in order.

    Returns:
        Colour in 0..1, multiplied by coverage, (32, 32, 3), and coverage in 0..1, (32, 32, 1).
    """
    points = _place(np.concatenate([part.outline for part in parts]), placement)
    fixed = np.rint(points * (SUPERSAMPLING * 2**FRACTION_BITS)).astype(np.int32)
    side = SIZE_PX * SUPERSAMPLING
    canvas = np.zeros((side, side, 4), np.uint8)
    start = 0
    for outline, paint, shade in parts:
        end = start + len(outline)
        red, green, blue = (min(255.0, 255.0 * shade * value) for value in palette[paint])
        colour = (red, green, blue, 255.0)
        cv2.fillPoly(canvas, [fixed[start:end]], colour, cv2.LINE_8, FRACTION_BITS)
        start = end
    fine = canvas.astype(np.float32) / 255.0
    small: Pixels = np.asarray(
        cv2.resize(fine, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA), np.float32
    )
    return small[:, :, :3], small[:, :, 3:]


def _place(points: Points, placement: Placement) -> Points:
    """Points of the object's plane as pixels of the picture, x right and y down."""
    cos, sin = np.cos(placement.tilt), np.sin(placement.tilt)
    flip = -1.0 if placement.mirrored else 1.0
    placed = points @ np.array([[flip * cos, -flip * sin], [-sin, -cos]])
    low, high = placed.min(axis=0), placed.max(axis=0)
    sides = high - low
    scale = placement.extent / (0.75 * sides.max() + 0.25 * sides.min())
    return SIZE_PX * ((placed - (low + high) / 2) * scale + placement.centre)
