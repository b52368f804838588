"""Solids for vehicles: flat faces in space, seen in perspective, lit by one lamp.

Axes: x forward, y left, z up; the viewer looks along +y. The corners of a face run
counter-clockwise as seen from outside, which is what hides faces turned away.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.synthetic.outlines import Part, Points

Corners = NDArray[np.float64]  # (n, 3)


class Face(NamedTuple):
    corners: Corners
    paint: str


class View(NamedTuple):
    """Angles in radians: turn about z, bank about x, and the viewer's height above the horizon."""

    turn: float
    height: float
    bank: float = 0.0
    perspective: float = 0.1  # shrinkage per unit of depth
    lamp: tuple[float, float, float] = (0.3, -0.5, 0.8)


Solid = list[Face]


def lamp_of(pose: Mapping[str, float]) -> tuple[float, float, float]:
    """The direction to the lamp: above, towards the viewer, from the pose's left or right."""
    return (2.4 * (pose["lamp"] - 0.5), -0.6, 0.9)


def loft(rings: Sequence[Corners], paints: str | Sequence[str], caps: str | None = None) -> Solid:
    """The skin over rings of equally many corners, closed by the first and the last.

    Args:
        rings: Each (n, 3); the first runs counter-clockwise as seen from outside.
        paints: One for all sides, or one for each of the n sides.
        caps: The paint of both ends; the first side's when absent.
    """
    count = len(rings[0])
    names = [paints] * count if isinstance(paints, str) else list(paints)
    faces = [Face(rings[0], caps or names[0]), Face(rings[-1][::-1], caps or names[0])]
    for near, far in pairwise(rings):
        near_next, far_next = np.roll(near, -1, axis=0), np.roll(far, -1, axis=0)
        quads = np.stack([near, far, far_next, near_next], axis=1)
        faces.extend(Face(quad, paint) for quad, paint in zip(quads, names, strict=True))
    return faces


def box(low: Sequence[float], high: Sequence[float], paint: str, top: str | None = None) -> Solid:
    """An upright box between two opposite corners."""
    (left, front, bottom), (right, back, lid) = low, high
    plan = [(left, front), (left, back), (right, back), (right, front)]  # clockwise from above
    rings = [np.array([(x, y, z) for x, y in plan], dtype=np.float64) for z in (bottom, lid)]
    return loft(rings, paint, top or paint)


def sheet(corners: Sequence[Sequence[float]], paint: str) -> Solid:
    """A flat surface without thickness, seen from both sides."""
    front = np.array(corners, dtype=np.float64)
    return [Face(front, paint), Face(front[::-1], paint)]


def panel(outline: Sequence[Sequence[float]], half_width: float, paint: str) -> Solid:
    """An (x, z) outline, counter-clockwise, on both flanks of a vehicle (y = -+half width)."""
    flat = np.array(outline, dtype=np.float64)
    near = np.insert(flat, 1, -half_width, axis=1)
    far = np.insert(flat, 1, half_width, axis=1)
    return [Face(near, paint), Face(far[::-1], paint)]


def see(layers: Sequence[Sequence[Solid]], view: View) -> list[Part]:
    """Project solids: layers in the given order; in a layer the farther solid is painted first."""
    cos, sin = np.cos, np.sin
    bank = np.array(
        [
            [1, 0, 0],
            [0, cos(view.bank), -sin(view.bank)],
            [0, sin(view.bank), cos(view.bank)],
        ]
    )
    turn = np.array(
        [
            [cos(view.turn), -sin(view.turn), 0],
            [sin(view.turn), cos(view.turn), 0],
            [0, 0, 1],
        ]
    )
    rise = np.array(
        [
            [1, 0, 0],
            [0, cos(view.height), -sin(view.height)],
            [0, sin(view.height), cos(view.height)],
        ]
    )
    to_viewer = (rise @ turn @ bank).T
    lamp = np.array(view.lamp) / np.linalg.norm(view.lamp) @ (turn @ bank)
    parts: list[Part] = []
    for layer in layers:
        seen = [_see_solid(solid, to_viewer, lamp, view.perspective) for solid in layer]
        seen.sort(key=lambda item: -item[0])
        parts.extend(part for _, shown in seen for part in shown)
    return parts


def _see_solid(
    solid: Solid, to_viewer: NDArray[np.float64], lamp: NDArray[np.float64], perspective: float
) -> tuple[float, list[Part]]:
    """The solid's mean depth and its faces turned to the viewer."""
    corners = np.concatenate([face.corners for face in solid]) @ to_viewer
    screen: Points = corners[:, ::2] / (1.0 + perspective * corners[:, 1:2])
    first = np.array([face.corners[:3] for face in solid])
    normals = np.cross(first[:, 1] - first[:, 0], first[:, 2] - first[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    shades = (0.62 + 0.45 * np.clip(normals @ lamp, -0.4, 1.0)).tolist()
    shown, start = [], 0
    for face, shade in zip(solid, shades, strict=True):
        outline = screen[start : start + len(face.corners)]
        start += len(face.corners)
        if _turned_to_viewer(outline):
            shown.append(Part(outline, face.paint, shade))
    return float(corners[:, 1].mean()), shown


def _turned_to_viewer(outline: Points) -> bool:
    """Whether the outline runs counter-clockwise on the screen (twice its signed area > 0)."""
    x, y = outline[:, 0], outline[:, 1]
    return bool(x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1] > 0)
