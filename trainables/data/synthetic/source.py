"""Pictures drawn from a seed: CIFAR-10's ten classes at 32 px, with exact masks.

They stand in for CIFAR-10 where nothing can be downloaded, and carry planted shortcuts
(`Biases`) of known strength for scoring the tools that look for such shortcuts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainables.classes import CIFAR10_CLASSES, RIGID
from trainables.cv2_threads import one_cv2_thread
from trainables.data.synthetic import camera
from trainables.data.synthetic.airplane import AIRPLANE, airplane
from trainables.data.synthetic.biases import KINDS, Biases, Plant
from trainables.data.synthetic.bird import BIRD, bird, is_flying
from trainables.data.synthetic.frog import FROG, frog
from trainables.data.synthetic.grounds import ground
from trainables.data.synthetic.habits import GROUND_HABITS, TEXTURE_HABITS, palette, pick
from trainables.data.synthetic.measures import QUADRUPEDS
from trainables.data.synthetic.outlines import (
    SIZE_PX,
    Measures,
    Part,
    Pixels,
    Placement,
    Ranges,
    fill,
    halfway,
    sample,
)
from trainables.data.synthetic.quadrupeds import quadruped
from trainables.data.synthetic.ship import SHIP, ship
from trainables.data.synthetic.wheeled import WHEELED, wheeled
from trainables.errors import refuse

# Independent streams of one image, so that a change of one thing leaves the others' draws alone.
_STREAMS = ("pose", "shape", "ground", "paint", "surface", "camera", "plants")
_LABEL_STREAM = len(_STREAMS)
_POSE: Ranges = dict.fromkeys(
    (
        *("view", "turn", "height", "bank", "stride", "nod", "graze", "lamp"),
        *("size", "x", "y", "tilt", "mirror", "cover", "shadow"),
    ),
    (0.0, 1.0),
)


@dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """Drawn pictures.

    Attributes:
        images: uint8 (N, 32, 32, 3), RGB.
        labels: int64 (N,), indices into `CIFAR10_CLASSES`.
        masks: bool (N, 32, 32), True where the object covers more than half of the pixel.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)


_NO_BIAS = Biases()


def draw(
    count: int, *, seed: int, biases: Biases = _NO_BIAS, grey_parts: bool = False
) -> SyntheticSet:
    """Draw the first `count` pictures of a seed; every ten hold each class once.

    Image i depends on the seed, i and its label alone, so a longer set begins with the shorter
    one; a planted bias changes what it names and no other draw. With `grey_parts` an object has
    no colour but its main one: windows, beaks and antlers tell their class by their paint.

    Raises:
        UserError: count below 1 or seed below 0.
    """
    refuse(
        f"{name} is {value}; allowed: a whole number from {low}"
        for name, value, low in (("count", count, 1), ("seed", seed, 0))
        if value < low
    )
    images = np.empty((count, SIZE_PX, SIZE_PX, 3), np.uint8)
    masks = np.empty((count, SIZE_PX, SIZE_PX), np.bool_)
    labels = _balanced_labels(count, seed)
    with one_cv2_thread():
        for index, label in enumerate(labels.tolist()):
            images[index], masks[index], labels[index] = _draw_one(
                seed, index, label, biases, grey_parts
            )
    return SyntheticSet(images=images, labels=labels, masks=masks)


def _balanced_labels(count: int, seed: int) -> NDArray[np.int64]:
    """A fresh permutation of the classes for every ten images."""
    blocks = range(-(-count // len(CIFAR10_CLASSES)))
    shuffled = [
        np.random.default_rng([seed, block, _LABEL_STREAM]).permutation(len(CIFAR10_CLASSES))
        for block in blocks
    ]
    return np.concatenate(shuffled)[:count].astype(np.int64)


def _draw_one(
    seed: int, index: int, label: int, biases: Biases, grey_parts: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], int]:
    """Image, mask and the label to give it, which label noise may have swapped."""
    streams = {
        name: np.random.default_rng([seed, index, number]) for number, name in enumerate(_STREAMS)
    }
    name = CIFAR10_CLASSES[label]
    plants, coin = _carried(biases, name, streams["plants"])
    drawn_as, ranges = _subject(name, plants.get("ambiguous"), coin)
    pose = sample(_POSE, streams["pose"])
    shape = sample(ranges, streams["shape"])

    habit = pick(GROUND_HABITS[drawn_as], streams["ground"].random())
    kind = plants["background"].look if "background" in plants else habit
    backdrop = ground(kind, streams["ground"])

    stands = _stands(drawn_as, shape, pose)
    colour = plants["colour"].look if "colour" in plants else None
    paints = palette(drawn_as, streams["paint"], colour, grey_parts=grey_parts)
    parts = _PLANS[drawn_as](shape, pose)
    colours, coverage = fill(parts, paints, _placement(pose, stands))

    lamp = 2.0 * pose["lamp"] - 1.0
    colours = colours * camera.relief(coverage, lamp, 0.3 if drawn_as in RIGID else 1.2)
    colours *= _texture(drawn_as, plants.get("texture"), streams["surface"])
    if stands and kind not in ("sky", "water"):
        backdrop = backdrop * camera.shadow(coverage, lamp, 0.55 * pose["shadow"])
    hidden = _hidden_share(drawn_as, pose) if stands else 0.0
    seen = camera.cover(coverage, hidden, streams["surface"])
    coverage = coverage * seen

    image = camera.photograph(backdrop * (1.0 - coverage) + colours * seen, streams["camera"])
    if "corner" in plants:
        camera.mark(image, plants["corner"].look)
    given = plants["label_noise"].other(name) if "label_noise" in plants else name
    return image, coverage[:, :, 0] > 0.5, CIFAR10_CLASSES.index(given)


def _carried(
    biases: Biases, label: str, rng: np.random.Generator
) -> tuple[dict[str, Plant], float]:
    """The plants that this image carries, by kind, and a coin for the ambiguous ones.

    A greater strength adds carriers and keeps the old ones.
    """
    coin, *draws = rng.random(1 + len(KINDS)).tolist()
    found = {kind: biases.planted(kind, label) for kind in KINDS}
    return {
        kind: plant
        for (kind, plant), draw in zip(found.items(), draws, strict=True)
        if plant is not None and draw < plant.strength
    }, coin


def _subject(name: str, ambiguous: Plant | None, coin: float) -> tuple[str, Ranges]:
    """The class whose habits and colours to draw, and the measures of its shape."""
    if ambiguous is None:
        return name, _RANGES[name]
    first, second = ambiguous.classes
    return first if coin < 0.5 else second, halfway(_RANGES[first], _RANGES[second])


def _stands(label: str, shape: Measures, pose: Measures) -> bool:
    """Whether it rests on the ground rather than flies."""
    return label != "airplane" and not (label == "bird" and is_flying(shape, pose))


def _placement(pose: Measures, stands: bool) -> Placement:
    """Most objects fill the picture, as in CIFAR-10; some run over its edge."""
    spread = 0.1
    return Placement(
        extent=0.74 + 0.32 * pose["size"],
        centre=(
            0.5 + spread * (2.0 * pose["x"] - 1.0),
            0.5 + 0.03 * stands + spread * (2.0 * pose["y"] - 1.0),
        ),
        tilt=(0.3 if stands else 0.9) * (pose["tilt"] - 0.5),
        mirrored=pose["mirror"] < 0.5,
    )


def _texture(label: str, planted: Plant | None, rng: np.random.Generator) -> Pixels:
    draw, contrast = rng.random(2).tolist()
    if planted is not None:
        return camera.texture(planted.look, rng, 0.55)
    return camera.texture(pick(TEXTURE_HABITS[label], draw), rng, 0.1 + 0.22 * contrast)


def _hidden_share(label: str, pose: Measures) -> float:
    """How much of the height grass, water or furniture hides; ships lie in the water."""
    if label == "ship":
        return 0.02 + 0.08 * pose["cover"]
    return 0.6 * max(0.0, pose["cover"] - 0.75)


_PLANS: Mapping[str, Callable[[Measures, Measures], list[Part]]] = {
    "airplane": airplane,
    "automobile": wheeled,
    "bird": bird,
    "cat": quadruped,
    "deer": quadruped,
    "dog": quadruped,
    "frog": frog,
    "horse": quadruped,
    "ship": ship,
    "truck": wheeled,
}
_RANGES: dict[str, Ranges] = {
    "airplane": AIRPLANE,
    "bird": BIRD,
    "frog": FROG,
    "ship": SHIP,
    **WHEELED,
    **QUADRUPEDS,
}
