"""What all tests share: one thread, no network, no foreign cluster, fixed seeds."""

import os

import numpy as np
import pytest
import torch
from hypothesis import settings

from trainables.data.images import ImageSet

# A search that a test starts has a cluster of its own: it never joins one that happens to run here.
os.environ["RAY_ADDRESS"] = "local"
# A deadline measures the machine: a busy one fails a sound test. pytest-timeout bounds them all.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def coloured_squares():
    """A maker of tiny sets in which the class is the brightness: learnt in a few steps."""

    def make(count: int, *, num_classes: int = 4, side_px: int = 32, seed: int = 0) -> ImageSet:
        rng = np.random.default_rng(seed)
        labels = np.arange(count) % num_classes
        step = 200 // num_classes
        images = (
            rng.integers(0, step, (count, side_px, side_px, 3)) + step * labels[:, None, None, None]
        )
        return ImageSet(
            images=images.astype(np.uint8),
            labels=labels.astype(np.int64),
            class_names=tuple("abcdefghij"[:num_classes]),
        )

    return make
