"""How often each class has which background, texture and colours. Tables, and drawing from them."""

from collections.abc import Mapping

import numpy as np

from trainables.data.synthetic.names import COLOURS

RGB = tuple[float, float, float]

# Chances; they overlap so that a background alone says little about the class.
GROUND_HABITS: dict[str, Mapping[str, float]] = {
    "airplane": {"sky": 0.52, "road": 0.14, "sand": 0.10, "grass": 0.12, "water": 0.12},
    "automobile": {"road": 0.40, "sand": 0.20, "grass": 0.16, "forest": 0.12, "indoor": 0.12},
    "bird": {"sky": 0.28, "grass": 0.20, "forest": 0.18, "water": 0.18, "sand": 0.16},
    "cat": {"indoor": 0.46, "grass": 0.22, "road": 0.10, "sand": 0.12, "forest": 0.10},
    "deer": {"grass": 0.40, "forest": 0.36, "sand": 0.16, "road": 0.08},
    "dog": {"indoor": 0.40, "grass": 0.26, "sand": 0.14, "road": 0.10, "forest": 0.10},
    "frog": {"water": 0.24, "grass": 0.24, "forest": 0.18, "sand": 0.20, "indoor": 0.14},
    "horse": {"grass": 0.40, "sand": 0.26, "forest": 0.22, "road": 0.12},
    "ship": {"water": 0.60, "sky": 0.20, "sand": 0.12, "road": 0.08},
    "truck": {"road": 0.40, "sand": 0.24, "grass": 0.16, "forest": 0.12, "indoor": 0.08},
}
TEXTURE_HABITS: dict[str, Mapping[str, float]] = {
    "airplane": {"plain": 0.9, "stripes": 0.1},
    "automobile": {"plain": 0.95, "stripes": 0.05},
    "bird": {"plain": 0.5, "spots": 0.2, "stripes": 0.15, "patches": 0.15},
    "cat": {"plain": 0.4, "stripes": 0.35, "patches": 0.25},
    "deer": {"plain": 0.7, "spots": 0.3},
    "dog": {"plain": 0.55, "patches": 0.3, "spots": 0.15},
    "frog": {"plain": 0.4, "spots": 0.4, "patches": 0.2},
    "horse": {"plain": 0.7, "patches": 0.3},
    "ship": {"plain": 0.9, "stripes": 0.1},
    "truck": {"plain": 0.9, "stripes": 0.1},
}
_PAINTWORK = (
    "white",
    "silver",
    "grey",
    "black",
    "red",
    "blue",
    "navy",
    "green",
    "yellow",
    "orange",
)
_COATS = ("black", "grey", "brown", "ginger", "cream", "white", "tan", "chestnut")
COLOUR_HABITS: dict[str, tuple[str, ...]] = {
    "airplane": ("white", "white", "silver", "silver", "grey", "olive", "red", "blue", "yellow"),
    "automobile": _PAINTWORK,
    "bird": (*_COATS, "blue", "red", "yellow", "green", "olive", "grey"),
    "cat": (*_COATS, "grey", "ginger", "black"),
    "deer": ("tan", "brown", "chestnut", "ginger", "grey", "brown", "tan"),
    "dog": (*_COATS, "cream", "chestnut", "black"),
    "frog": ("green", "green", "olive", "olive", "brown", "teal", "yellow", "grey"),
    "horse": ("chestnut", "brown", "black", "grey", "white", "tan", "brown", "chestnut"),
    "ship": ("white", "grey", "black", "navy", "red", "teal", "silver", "brown"),
    "truck": (*_PAINTWORK, "white", "red"),
}
_FIXED: dict[str, RGB] = {
    "dark": (0.10, 0.09, 0.10),
    "glass": (0.22, 0.30, 0.38),
    "metal": (0.62, 0.63, 0.65),
    "tyre": (0.12, 0.12, 0.13),
    "light": (0.95, 0.92, 0.78),
    "white": (0.92, 0.92, 0.90),
    "deck": (0.55, 0.47, 0.38),
    "antler": (0.62, 0.52, 0.40),
    "pink": (0.78, 0.56, 0.52),
}


def pick(chances: Mapping[str, float], draw: float) -> str:
    """The name at that quantile (0..1) of a table of chances that sum to 1."""
    total = 0.0
    for name, chance in chances.items():
        total += chance
        if draw < total:
            return name
    return name


def palette(
    label: str, rng: np.random.Generator, colour: str | None = None, *, grey_parts: bool = False
) -> dict[str, RGB]:
    """The paints of one object; `colour` replaces the class's own choice of the main one.

    With `grey_parts` all others (glass, beaks, decks, a second colour) keep only how light they
    are: then the main colour is all the colour that an object has. The draws are the same in
    every case.
    """
    choices = COLOUR_HABITS[label]
    main, other = rng.random(2)
    jitter = rng.normal(1.0, (0.12, 0.025, 0.025, 0.025))
    contrast, warm, lens, hood = rng.random(4).tolist()
    chosen = COLOURS[colour or choices[int(main * len(choices))]]
    body = np.clip(np.array(chosen) * jitter[0] * jitter[1:], 0.03, 0.97)
    second = np.array(COLOURS[choices[int(other * len(choices))]])
    pale = body + (0.93 - body) * (0.15 + 0.5 * contrast)
    related = body * (0.45 + 0.5 * warm)
    beak = np.array((0.85, 0.55, 0.15)) if warm < 0.5 else np.array((0.25, 0.22, 0.2))
    hair = related if contrast < 0.6 else second
    organic = {
        "second": hair if label == "horse" else 0.9 * body if label == "frog" else second,
        "pale": pale,
        "wing": 0.6 * body + 0.4 * second if label in ("bird", "ship") else 0.85 * body + 0.1,
        "head": body if hood < 0.6 else second,
        "ear": body if hood < 0.55 else related,
        "paw": body if hood > 0.4 else related if contrast < 0.5 else pale,
        "nose": 0.25 * body if lens < 0.7 else np.array((0.70, 0.45, 0.42)),
        "iris": np.array((0.85, 0.75, 0.25) if lens > 0.5 else (0.35, 0.22, 0.12)),
        "beak": beak,
        "accent": second if warm < 0.5 else np.array(COLOURS["red"]),
        "sail": np.array(COLOURS["white"]) if hood < 0.75 else second,
    }
    mixed = {name: tuple(np.clip(value, 0.02, 1.0).tolist()) for name, value in organic.items()}
    parts = {**_FIXED, **mixed}
    if grey_parts:
        parts = {
            name: (grey,) * 3 for name, grey in ((n, float(np.mean(p))) for n, p in parts.items())
        }
    return {**parts, "body": tuple(body.tolist())}
