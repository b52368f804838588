"""From a batch to its logits: through all of the network, or from where it stops being frozen."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables.models.network import FineTuneModel
from trainables.training.activations import EVALUATION_BATCH, autocast
from trainables.training.batches import Batch
from trainables.training.pictures import Pictures, View

# A batch's logits (B, K), and its labels int64 (B,) or mixed class probabilities (B, K).
Forward = Callable[[Batch], tuple[Tensor, Tensor]]


class Network:
    """The model of a trial and the pictures that go through it.

    Args:
        model: as far frozen as the trial has it at the time.
        pictures: of the trial.
        device: of both.
        is_bf16: whether the network computes in bf16.
    """

    def __init__(
        self, model: FineTuneModel, pictures: Pictures, device: torch.device, *, is_bf16: bool
    ) -> None:
        self.model, self.pictures, self._device, self._is_bf16 = model, pictures, device, is_bf16

    def head_phase(self, head: nn.Module, view: View, batches: list[Batch]) -> Forward:
        """The head on the frozen backbone's features of this view.

        A mixed batch has pixels of its own and takes the backbone's forward pass.
        """
        features = self._below(view, batches)
        if features is None:
            features = self._features_of(view, [b.indices for b in batches if not b.mixing])
        features = features.float()

        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            if not batch.mixing:
                return head(features[batch.indices]), self._labels(batch)
            pixels, targets = self.pictures.batch(view, batch)
            with torch.no_grad(), self._autocast():
                mixed_features = self.model.features(pixels)
            return head(mixed_features.float()), targets

        return forward

    def finetune_phase(self, network: nn.Module, view: View, batches: list[Batch]) -> Forward:
        """All of the network, or what lies above the unfreeze point on what trials share of it."""
        below, first = self._below(view, batches), self.model.num_frozen_parts

        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            with self._autocast():
                if below is not None and not batch.mixing:
                    return network(below[batch.indices], first=first), self._labels(batch)
                pixels, targets = self.pictures.batch(view, batch)
                return network(pixels), targets

        return forward

    def val_features(self, evaluated: FineTuneModel, mine: Tensor) -> Tensor:
        """A model's features of the validation pictures `mine`, float32 (N, F)."""
        below = self.pictures.below(self.model, self.pictures.val)
        if below is None:
            images = self.pictures.val.images[mine]
            return self.pictures.activations.computed(evaluated, images).float()
        evaluated.eval()
        parts, first = [], self.model.num_frozen_parts
        for chunk in below[mine].split(EVALUATION_BATCH):
            with torch.no_grad(), self._autocast():
                parts.append(evaluated.features(chunk, first=first))
        return torch.cat(parts).float()

    def _below(self, view: View, batches: list[Batch]) -> Tensor | None:
        if all(batch.mixing for batch in batches):
            return None
        return self.pictures.below(self.model, view)

    def _features_of(self, view: View, batches: list[Tensor]) -> Tensor:
        """The backbone's features of the pictures in these batches, (N, F)."""
        features = torch.empty(len(view.images), self.model.num_features, device=self._device)
        if batches:
            needed = torch.cat(batches).unique()
            found = self.pictures.activations.computed(self.model, view.images[needed])
            features[needed] = found.float()
        return features

    def _labels(self, batch: Batch) -> Tensor:
        return self.pictures.train_labels[batch.indices]

    def _autocast(self) -> torch.autocast:
        return autocast(self._device, enabled=self._is_bf16)
