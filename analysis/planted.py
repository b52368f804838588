"""Small models with planted shortcuts, and how much each of them truly relies on its plants.

Pictures are drawn once clean and once for each set of plants, with every picture of the planted
classes carrying its plant. A plant of strength s then is a draw: each picture of its class is the
planted one with chance s. The truth about a class is measured, not assumed: the model's accuracy
on the planted test pictures minus that on the clean ones (a planted cue may go unused).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from analysis.donors import Images
from analysis.metrics import FloatArray, IntArray
from trainables.data.classes import CIFAR10_CLASSES
from trainables.data.synthetic import draw
from trainables.data.synthetic_biases import Biases, Plant

TRAIN_SEED, TEST_SEED = 11, 12  # of the drawn pictures
EPOCHS, BATCH, PEAK_RATE = 8, 64, 5e-3
WIDTHS = (24, 48, 96)
CHUNK = 500  # pictures a forward pass


def plant(kind: str, classes: str | tuple[str, str], look: str) -> tuple[str, Plant]:
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
    """The same pictures clean and with each set of plants, for training and for the test."""

    train: Pictures
    test: Pictures
    planted_train: tuple[Images, ...]
    planted_test: tuple[Images, ...]


def biases_of(plants: Sequence[tuple[str, Plant]]) -> Biases:
    kinds = {kind for kind, _ in plants}
    return Biases(**{kind: tuple(p for name, p in plants if name == kind) for kind in kinds})


def draw_pool(plant_set: int | None, count: int, seed: int) -> Pictures:
    """Drawn pictures without plants, or with one of `PLANT_SETS` in all of its classes."""
    biases = Biases() if plant_set is None else biases_of(PLANT_SETS[plant_set])
    drawn = draw(count, seed=seed, biases=biases)
    return Pictures(images=drawn.images, labels=drawn.labels)


def plants_by_class(plant_set: int) -> dict[str, tuple[str, str]]:
    """Class -> (kind, look) of its plant."""
    return {
        name: (kind, planted.look)
        for kind, planted in PLANT_SETS[plant_set]
        for name in planted.classes
    }


def mixed(clean: Images, planted: Images, strength: float, rng: np.random.Generator) -> Images:
    """Each picture planted with chance `strength`; pictures without a plant are the same twice."""
    carries = rng.random(len(clean)) < strength
    return np.where(carries[:, None, None, None], planted, clean)


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


def reliance(model: SmallNet, planted: Images, clean: Images, labels: IntArray) -> FloatArray:
    """Accuracy on the planted twins minus that on the clean twins, by class; (K,)."""
    gained = (model.predict_logits(planted).argmax(axis=1) == labels).astype(float)
    gained -= model.predict_logits(clean).argmax(axis=1) == labels
    return np.array([gained[labels == k].mean() for k in range(len(CIFAR10_CLASSES))])


def describe(plant_set: int) -> list[dict[str, Any]]:
    """The plants of a set, for the record."""
    return [
        {"kind": kind, "classes": list(planted.classes), "look": planted.look}
        for kind, planted in PLANT_SETS[plant_set]
    ]
