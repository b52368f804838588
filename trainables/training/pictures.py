"""The pictures of one trial on their device: views, batches, and what a frozen network sees."""

from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2

from trainables.classes import organic_mask
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.models.network import FineTuneModel
from trainables.models.resize import Resize
from trainables.training.activations import Activations
from trainables.training.augment import epoch_view
from trainables.training.batches import Batch
from trainables.training.reuse import Reuse, fingerprint


@dataclass(frozen=True, kw_only=True)
class TrialData:
    """The pictures of one trial, and the seed of the epoch views drawn from them."""

    train: ImageSet
    val: ImageSet
    data_seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A split as an epoch sees it: uint8 (N, S, S, 3) on the device, and what it depends on."""

    images: Tensor
    key: dict[str, Any]


class Pictures:
    """What goes into the network.

    Args:
        config: of the trial.
        data: of the trial.
        device: of the trial.
        reuse: where views and activations are shared with other trials.
        weights: from where the backbone's were loaded; "": as `config` says.
    """

    def __init__(
        self,
        config: FineTuneConfig,
        data: TrialData,
        *,
        device: torch.device,
        reuse: Reuse,
        weights: str = "",
    ) -> None:
        self._config, self._data, self._device, self._reuse = config, data, device, reuse
        train, val, names = data.train, data.val, data.train.class_names
        self._organic = organic_mask(names, config.organic_classes)[train.labels]
        self._train_key = {"images": fingerprint(train.images)}
        self.val = View(
            images=torch.tensor(val.images, device=device), key={"images": fingerprint(val.images)}
        )
        self.train_labels = torch.tensor(train.labels, device=device)
        self.val_labels = torch.tensor(val.labels, device=device)
        self.resize = Resize.of(config, train.side_px, device)
        self.activations = Activations(config, self.resize, device, reuse, weights)
        self._mixers = {
            "cutmix": v2.CutMix(alpha=config.cutmix_alpha, num_classes=len(names)),
            "mixup": v2.MixUp(alpha=config.mixup_alpha, num_classes=len(names)),
        }

    def view(self, epoch: int) -> View:
        """The training pictures as epoch `epoch` sees them."""
        images = self._drawn(epoch)
        writeable = images if images.flags.writeable else images.copy()
        return View(images=torch.from_numpy(writeable).to(self._device), key=self._view_key(epoch))

    def draw_ahead(self, epoch: int) -> Thread:
        """Draw an epoch's view into the shared folder while the device is busy with another.

        Whoever needs it waits for it or finds it there. An error is told when it is asked for.
        """
        thread = Thread(target=self._drawn, args=(epoch,), name=f"view {epoch}", daemon=True)
        thread.start()
        return thread

    def batch(self, view: View, batch: Batch) -> tuple[Tensor, Tensor]:
        """A batch at the network's resolution, and its labels or mixed class probabilities."""
        pixels, labels = self.resize(view.images[batch.indices]), self.train_labels[batch.indices]
        if batch.mixing:
            pixels, labels = self._mixers[batch.mixing](pixels, labels)
        return pixels, labels

    def below(self, model: FineTuneModel, view: View) -> Tensor | None:
        """What the frozen parts of a model make of a view, (N, ...), where trials share it."""
        last = model.num_frozen_parts
        if not self.activations.are_shared(model, view.images, last=last):
            return None
        return self.activations.shared(model, view.images, view.key, last=last)

    def _drawn(self, epoch: int) -> NDArray[np.uint8]:
        return self._reuse.get(
            {"what": "view", **self._view_key(epoch)},
            lambda: epoch_view(
                self._data.train.images,
                policy=self._config.augmentation,
                data_seed=self._data.data_seed,
                epoch=epoch,
                organic=self._organic,
            ),
        )

    def _view_key(self, epoch: int) -> dict[str, Any]:
        if self._config.augmentation == "none":  # the same in every epoch
            return self._train_key
        return {
            **self._train_key,
            "organic": fingerprint(self._organic),
            "policy": self._config.augmentation,
            "data_seed": self._data.data_seed,
            "epoch": epoch,
        }
