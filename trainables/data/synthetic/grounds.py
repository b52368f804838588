"""Seven kinds of background, each varied in colour, horizon, weather and clutter."""

from collections.abc import Callable

import cv2
import numpy as np

from trainables.data.synthetic.outlines import SIZE_PX, Pixels

Generator = np.random.Generator
Colour = tuple[float, float, float]

_SKIES: tuple[tuple[Colour, Colour], ...] = (  # at the zenith, at the horizon
    ((0.25, 0.48, 0.80), (0.68, 0.82, 0.94)),
    ((0.36, 0.58, 0.86), (0.85, 0.91, 0.96)),
    ((0.58, 0.62, 0.67), (0.82, 0.84, 0.86)),
    ((0.80, 0.84, 0.88), (0.93, 0.94, 0.95)),
    ((0.33, 0.38, 0.55), (0.92, 0.66, 0.45)),
)
_WATERS: tuple[Colour, ...] = (
    (0.16, 0.33, 0.52),
    (0.20, 0.45, 0.52),
    (0.42, 0.50, 0.55),
    (0.27, 0.36, 0.28),
    (0.38, 0.34, 0.26),
)
_ROADS: tuple[Colour, ...] = (
    (0.38, 0.38, 0.40),
    (0.52, 0.51, 0.50),
    (0.63, 0.60, 0.56),
    (0.28, 0.29, 0.32),
)
_MEADOWS: tuple[Colour, ...] = (
    (0.30, 0.47, 0.17),
    (0.42, 0.55, 0.24),
    (0.52, 0.50, 0.26),
    (0.62, 0.55, 0.34),
    (0.24, 0.36, 0.18),
)
_SOILS: tuple[Colour, ...] = (
    (0.76, 0.66, 0.48),
    (0.60, 0.48, 0.35),
    (0.48, 0.41, 0.34),
    (0.83, 0.84, 0.87),
    (0.58, 0.56, 0.53),
)
_ROOMS: tuple[Colour, ...] = (
    (0.82, 0.76, 0.66),
    (0.62, 0.36, 0.26),
    (0.50, 0.60, 0.68),
    (0.74, 0.74, 0.76),
    (0.44, 0.33, 0.25),
    (0.35, 0.40, 0.35),
    (0.68, 0.54, 0.40),
    (0.58, 0.42, 0.50),
)
_ROWS = np.linspace(0.0, 1.0, SIZE_PX, dtype=np.float32)[:, None, None]


def ground(kind: str, rng: Generator) -> Pixels:
    """Draw one background of a kind in `GROUNDS`: (32, 32, 3), RGB in 0..1, before the camera."""
    return _GROUNDS[kind](rng)


def noise(rng: Generator, rows: int, columns: int) -> Pixels:
    """Smooth noise around 0 with that many cells each way: (32, 32, 1), about -0.5..0.5."""
    cells = rng.random((rows, columns), dtype=np.float32) - 0.5
    smooth = cv2.resize(cells, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32)[:, :, None]


def _tone(colours: tuple[Colour, ...], rng: Generator, jitter: float = 0.06) -> Pixels:
    """One of the colours, shifted as a whole and channel by channel."""
    colour = np.array(colours[rng.integers(len(colours))], np.float32)
    shift = jitter * rng.standard_normal(4, dtype=np.float32)
    return colour + shift[:3] * 0.6 + shift[3]


def _sky(rng: Generator) -> Pixels:
    zenith, horizon = _SKIES[rng.integers(len(_SKIES))]
    low = 0.4 + 0.8 * rng.random()
    depth = np.clip(_ROWS / low, 0.0, 1.0)
    shade = _tone((zenith,), rng) * (1.0 - depth) + _tone((horizon,), rng, 0.03) * depth
    clouds = noise(rng, 7, 4) + 0.5 * noise(rng, 14, 9) + 0.5 * (rng.random() - 0.75)
    cover = np.clip(3.5 * clouds, 0.0, 0.9)
    return shade * (1.0 - cover) + (0.93 - 0.25 * rng.random()) * cover


def _below_horizon(
    surface: Pixels, rng: Generator, highest: float, lowest: float, wooded: float
) -> Pixels:
    """The surface under a horizon at a drawn height, with sky, trees or houses above it."""
    scene = _sky(rng)
    horizon = int(SIZE_PX * (highest + (lowest - highest) * rng.random()))
    if horizon > 2 and rng.random() < wooded:
        _raise_skyline(scene, horizon, rng)
    scene[max(0, horizon) :] = surface[max(0, horizon) :]
    return scene


def _raise_skyline(scene: Pixels, horizon: int, rng: Generator) -> None:
    """Put tree tops, hills or houses on the horizon."""
    rough = int(rng.integers(3, 12))
    heights = horizon * (0.5 + 0.9 * noise(rng, 1, rough)[0, :, 0] + 0.5 * rng.random())
    rows = np.arange(SIZE_PX, dtype=np.float32)[:, None]
    behind = (rows > horizon - heights)[:, :, None]
    shade = _tone(((0.20, 0.28, 0.15), (0.38, 0.38, 0.36), (0.45, 0.33, 0.26)), rng)
    np.copyto(scene, shade + 0.25 * noise(rng, 16, 16), where=behind)


def _water(rng: Generator) -> Pixels:
    ripples = 0.16 * noise(rng, 20, 5) + 0.12 * noise(rng, 32, 12)
    surface = _tone(_WATERS, rng) * (0.8 + 0.35 * _ROWS) + (0.4 + rng.random()) * ripples
    return _below_horizon(surface, rng, -0.3, 0.6, wooded=0.35)


def _road(rng: Generator) -> Pixels:
    surface = _tone(_ROADS, rng) + 0.1 * noise(rng, 5, 3) + 0.06 * noise(rng, 32, 32)
    marking = 0.5 * rng.random()
    for _ in range(int(rng.integers(0, 3))):
        ends = (SIZE_PX * (3.0 * rng.random(2) - 1.0)).astype(int).tolist()
        line = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        cv2.line(line, (ends[0], 6), (ends[1], SIZE_PX), 1.0, int(rng.integers(1, 3)), cv2.LINE_AA)
        surface = surface + marking * line[:, :, None]
    return _below_horizon(surface, rng, 0.1, 0.55, wooded=0.85)


def _grass(rng: Generator) -> Pixels:
    blades = 0.22 * noise(rng, 12, 32) + 0.12 * noise(rng, 32, 32)
    surface = _tone(_MEADOWS, rng) * (0.8 + 0.3 * _ROWS) + blades + 0.12 * noise(rng, 4, 3)
    return _below_horizon(surface, rng, -0.4, 0.55, wooded=0.75)


def _sand(rng: Generator) -> Pixels:
    grain = 0.12 * noise(rng, 32, 32) + 0.2 * noise(rng, 9, 5)
    surface = _tone(_SOILS, rng) + (0.3 + 0.7 * rng.random()) * grain
    return _below_horizon(surface, rng, -0.3, 0.55, wooded=0.6)


def _indoor(rng: Generator) -> Pixels:
    wall = _tone(_ROOMS, rng) + 0.1 * noise(rng, 3, 3)
    floor = _tone(_ROOMS, rng) * (0.7 + 0.3 * _ROWS) + 0.1 * noise(rng, 16, 6)
    if rng.random() < 0.3:  # a woven cover
        period = 3.0 + 5.0 * rng.random()
        weave = np.sin(2.0 * np.pi * np.arange(SIZE_PX, dtype=np.float32) / period)
        floor = floor + 0.12 * (
            weave[None, :, None] * (1.0 if rng.random() < 0.5 else weave[:, None, None])
        )
    room = np.broadcast_to(wall, (SIZE_PX, SIZE_PX, 3)).copy()
    for _ in range(int(rng.integers(0, 3))):  # doors, cupboards, windows
        left, top = (SIZE_PX * (rng.random(2) - 0.2)).astype(int).tolist()
        width, height = (SIZE_PX * (0.2 + 0.6 * rng.random(2))).astype(int).tolist()
        room[max(0, top) : top + height, max(0, left) : left + width] = _tone(_ROOMS, rng, 0.12)
    edge = int(SIZE_PX * (0.25 + 0.6 * rng.random()))
    room[edge:] = floor[edge:]
    return room


def _forest(rng: Generator) -> Pixels:
    leaves = _tone(((0.17, 0.27, 0.11), (0.30, 0.36, 0.17), (0.36, 0.28, 0.16)), rng)
    scene = leaves + 0.32 * noise(rng, 9, 9) + 0.2 * noise(rng, 20, 20)
    trunk = _tone(((0.26, 0.20, 0.15), (0.45, 0.42, 0.38), (0.16, 0.14, 0.12)), rng)
    for _ in range(int(rng.integers(0, 4))):
        left, width = int(rng.integers(0, SIZE_PX)), int(rng.integers(1, 5))
        scene[:, left : left + width] = trunk + 0.15 * noise(rng, 12, 4)[:, left : left + width]
    floor = int(SIZE_PX * (0.6 + 0.5 * rng.random()))
    scene[floor:] = 0.5 * scene[floor:] + 0.5 * _tone(_MEADOWS + _SOILS, rng)
    return scene


_GROUNDS: dict[str, Callable[[Generator], Pixels]] = {
    "forest": _forest,
    "grass": _grass,
    "indoor": _indoor,
    "road": _road,
    "sand": _sand,
    "sky": _sky,
    "water": _water,
}
