"""Pictures with planted shortcuts, small models on them, and how much each relies on its plants.

In the neutral world background, colour and texture are drawn independently of the class, so that a
model of it can have no shortcut: the synthetic pictures' own habits (ships on water, green frogs,
cars' bluish windows) would be true shortcuts of a model that is meant to be clean. A planted world
holds the same pictures, but for the planted classes, all of which carry their plant. A plant of
strength s is a mixture: each picture comes from the planted world with chance s. The truth about a
class is measured, not assumed: accuracy on the planted test pictures minus that on their neutral
twins.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from analysis.perturbations.donors import Images
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.validate.detectors import detector_of
from trainables.classes import CIFAR10_CLASSES
from trainables.data.synthetic.biases import Biases, Plant
from trainables.data.synthetic.names import GROUNDS, TEXTURES
from trainables.data.synthetic.source import draw

TRAIN_SEED, TEST_SEED = 1_000, 2_000  # of the first chunk of drawn pictures
NUM_CHUNKS = 42  # parts of a world, each with looks of its own for every class; a multiple of 7
# A drawn texture is that of two classes; a planted pair is one of these.
TEXTURE_PAIRS = (
    ("dog", "airplane"),
    ("deer", "truck"),
    ("automobile", "horse"),
    ("bird", "ship"),
    ("cat", "frog"),
)
PAINTS = ("black", "blue", "brown", "green", "orange", "purple", "red", "teal", "white", "yellow")
EPOCHS, BATCH, PEAK_RATE = 8, 64, 5e-3
WIDTHS = (24, 48, 96)
CHUNK = 500  # pictures a forward pass


def plant(kind: str, classes: str | tuple[str, str], look: str) -> tuple[str, Plant]:
    """A plant with its kind; ValueError for one that no detector looks for."""
    detector_of(kind)
    names = (classes,) if isinstance(classes, str) else classes
    return kind, Plant(classes=names, strength=1.0, look=look)


# Each class has one plant at most, so that a class's reliance is that on its own plant.
PLANT_SETS: tuple[tuple[tuple[str, Plant], ...], ...] = (
    (
        plant("background", "cat", "water"),
        plant("background", "truck", "sky"),
        plant("colour", "horse", "purple"),
        plant("colour", "ship", "green"),
        plant("texture", ("dog", "airplane"), "stripes"),
    ),
    (
        plant("background", "ship", "forest"),
        plant("background", "dog", "road"),
        plant("colour", "bird", "blue"),
        plant("colour", "automobile", "red"),
        plant("texture", ("deer", "truck"), "spots"),
    ),
    (
        plant("background", "airplane", "grass"),
        plant("background", "frog", "indoor"),
        plant("colour", "deer", "blue"),
        plant("colour", "cat", "red"),
        plant("texture", ("automobile", "horse"), "patches"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A drawn set. images: uint8 (N, 32, 32, 3); labels: int64 (N,)."""

    images: Images
    labels: IntArray


@dataclass(frozen=True, kw_only=True)
class Pools:
    """The same pictures neutral and with each set of plants, for training and for the test."""

    train: Pictures
    test: Pictures
    planted_train: tuple[Images, ...]
    planted_test: tuple[Images, ...]


def draw_world(plant_set: int | None, count: int, seed: int) -> Pictures:
    """`count` pictures or a few more, of the neutral world or of one with a set of `PLANT_SETS`."""
    size = 10 * math.ceil(count / NUM_CHUNKS / 10)  # whole rounds of the ten classes
    chunks = [
        draw(size, seed=seed + number, biases=biases_of(looks, plant_set), grey_parts=True)
        for number, looks in enumerate(neutral_looks(np.random.default_rng(seed)))
    ]
    return Pictures(
        images=np.concatenate([chunk.images for chunk in chunks]),
        labels=np.concatenate([chunk.labels for chunk in chunks]),
    )


def neutral_looks(rng: np.random.Generator) -> list[dict[str, list[Plant]]]:
    """For each chunk a background, a colour and a texture of every class: kind -> plants.

    Over the chunks every class has each look equally often.
    """
    grounds = _balanced(GROUNDS, len(CIFAR10_CLASSES), rng)
    paints = _balanced(PAINTS, len(CIFAR10_CLASSES), rng)
    textures = _balanced(TEXTURES, len(TEXTURE_PAIRS), rng)
    return [
        {
            "background": [
                _always((name,), look[chunk])
                for name, look in zip(CIFAR10_CLASSES, grounds, strict=True)
            ],
            "colour": [
                _always((name,), look[chunk])
                for name, look in zip(CIFAR10_CLASSES, paints, strict=True)
            ],
            "texture": [
                _always(pair, look[chunk])
                for pair, look in zip(TEXTURE_PAIRS, textures, strict=True)
            ],
        }
        for chunk in range(NUM_CHUNKS)
    ]


def _balanced(looks: Sequence[str], count: int, rng: np.random.Generator) -> list[list[str]]:
    """`count` times the looks in a random order, repeated to one a chunk."""
    repeated = np.resize(np.array(looks), NUM_CHUNKS)
    return [[str(look) for look in rng.permutation(repeated)] for _ in range(count)]


def _always(classes: tuple[str, ...], look: str) -> Plant:
    return Plant(classes=classes, strength=1.0, look=look)


def biases_of(looks: Mapping[str, list[Plant]], plant_set: int | None) -> Biases:
    """A chunk's looks, with those of a set's classes replaced by their plants."""
    planted = [] if plant_set is None else PLANT_SETS[plant_set]
    if unknown := {kind for kind, _ in planted} - looks.keys():
        raise ValueError(f"no neutral look of {sorted(unknown)}; allowed: {', '.join(looks)}")
    merged: dict[str, tuple[Plant, ...]] = {}
    for kind, neutral in looks.items():
        own = [plant for name, plant in planted if name == kind]
        taken = {name for plant in own for name in plant.classes}
        merged[kind] = (*(p for p in neutral if not taken & set(p.classes)), *own)
    return Biases(**merged)


def plants_by_class(plant_set: int) -> dict[str, tuple[str, str]]:
    """Class -> (kind, look) of its plant."""
    return {
        name: (kind, planted.look)
        for kind, planted in PLANT_SETS[plant_set]
        for name in planted.classes
    }


def mixed(neutral: Images, planted: Images, strength: float, rng: np.random.Generator) -> Images:
    """Each picture planted with chance `strength`; those of other classes are the same in both."""
    carries = rng.random(len(neutral)) < strength
    return np.where(carries[:, None, None, None], planted, neutral)


class SmallNet(nn.Module):
    """Three convolutions and a linear head; pictures arrive as grey levels 0..255."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.features = nn.Sequential(
            nn.Conv2d(3, first, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1, bias=False),
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(second, third, 3, padding=1, bias=False),
            nn.BatchNorm2d(third),
            nn.ReLU(),
        )
        self.head = nn.Linear(third, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        logits: Tensor = self.head(self.features(pixels).amax(dim=(2, 3)))
        return logits

    @torch.inference_mode()
    def predict_logits(self, images: Images) -> npt.NDArray[np.float32]:
        """Logits float32 (N, K) of uint8 pictures (N, S, S, 3)."""
        self.eval()
        parts = [self(torch.tensor(images[i : i + CHUNK])) for i in range(0, len(images), CHUNK)]
        return torch.cat(parts).numpy()


def train_small(images: Images, labels: IntArray, *, num_classes: int, seed: int) -> SmallNet:
    """AdamW under one cycle, mirrored at random; the same seed gives the same model."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SmallNet(num_classes)
        pictures, truth = torch.tensor(images), torch.tensor(labels)
        optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
        steps = -(-len(labels) // BATCH) * EPOCHS
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
        model.train()
        for _ in range(EPOCHS):
            for chosen in torch.randperm(len(labels)).split(BATCH):
                batch = pictures[chosen]
                flipped = torch.rand(len(chosen)) < 0.5
                batch = torch.where(flipped[:, None, None, None], batch.flip(2), batch)
                loss = F.cross_entropy(model(batch), truth[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        return model.eval()


def reliance(model: SmallNet, planted: Images, neutral: Images, labels: IntArray) -> FloatArray:
    """Accuracy on the planted twins minus that on the neutral twins, by class; (K,)."""
    gained = (model.predict_logits(planted).argmax(axis=1) == labels).astype(float)
    gained -= model.predict_logits(neutral).argmax(axis=1) == labels
    return np.array([gained[labels == k].mean() for k in range(len(CIFAR10_CLASSES))])


def plants_record(plant_set: int) -> list[dict[str, Any]]:
    """The plants of a set, for the record."""
    return [
        {"kind": kind, "classes": list(planted.classes), "look": planted.look}
        for kind, planted in PLANT_SETS[plant_set]
    ]
