"""The two-phase fine-tune: a frozen backbone first, then its top with differential rates.

Pure PyTorch: it takes pictures, a configuration and a report function, and knows no Ray. What is
random in epoch e is a function of (seed, e) alone, so a trial that resumes after any epoch goes on
exactly as if it had never stopped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchvision.transforms import v2

from trainables.augment import epoch_view
from trainables.checkpoints import Checkpoint, load_checkpoint, restore_model
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.evaluation import Scores, Tally, soft_cross_entropy
from trainables.memory import peak_memory_bytes
from trainables.models import FineTuneModel, build_model, set_trainable
from trainables.optimizers import build_optimizer, build_schedule, group_rates, restore_optimizer
from trainables.parallel import SOLO, WorkerGroup
from trainables.resize import Resize
from trainables.weights import load_backbone_state, weights_id

HEAD_PHASE, FINETUNE_PHASE = 1, 2
EVALUATION_BATCH = 256  # pictures; a forward pass without gradients is fastest near here on a CPU

# Called after each epoch with the epoch's metrics and a function that makes its checkpoint. After a
# resume it is first called again for every epoch so far, with None: whoever listens may have been
# killed before it heard of the last ones.
Report = Callable[[dict[str, Any], Callable[[], Checkpoint] | None], None]


@dataclass(frozen=True, kw_only=True)
class TrialData:
    """The pictures of one trial, and the seed of the epoch views drawn from them."""

    train: ImageSet
    val: ImageSet
    data_seed: int


def fine_tune(
    config: FineTuneConfig,
    data: TrialData,
    report: Report,
    *,
    device: torch.device,
    workers: WorkerGroup = SOLO,
    resume_from: Path | None = None,
) -> None:
    """Train one configuration from its first epoch, or from after a checkpoint, to its last."""
    with torch.random.fork_rng(enabled=device.type == "cpu"):
        trial = Trial(config, data, device=device, workers=workers)
        if resume_from:
            trial.resume(resume_from)
            for metrics in trial.history:
                report(metrics, None)
        while not trial.finished:
            metrics = trial.run_epoch(trial.epoch + 1)
            report(metrics, trial.checkpoint)


class Trial:
    """One configuration being trained: the model, the optimiser of the current phase, the clock."""

    def __init__(
        self, config: FineTuneConfig, data: TrialData, *, device: torch.device, workers: WorkerGroup
    ) -> None:
        self.config, self.data, self.device, self.workers = config, data, device, workers
        self.num_classes = len(data.train.class_names)
        self.pretrained = load_backbone_state(config.backbone, config.weights)
        self.weights_id = weights_id(config.backbone, config.weights)
        model = build_model(config, self.num_classes, pretrained=self.pretrained)
        self.model: FineTuneModel = model.to(device).to(memory_format=torch.channels_last)
        self.resize = Resize(data.train.side_px, config.resolution_px, config.interpolation, device)
        self.cutmix = v2.CutMix(alpha=config.cutmix_alpha, num_classes=self.num_classes)
        self.steps_per_epoch = len(data.train) // config.batch_size
        self.train_labels = torch.tensor(data.train.labels, device=device)
        self.val_images = torch.tensor(data.val.images, device=device)
        self.val_labels = torch.tensor(data.val.labels, device=device)
        self.frozen_val_features: Tensor | None = None
        self.phase = 0
        self.optimizer: Optimizer
        self.schedule: LRScheduler
        self.history: list[dict[str, Any]] = []  # the metrics of each epoch so far

    @property
    def epoch(self) -> int:
        """Epochs trained so far."""
        return len(self.history)

    @property
    def finished(self) -> bool:
        return bool(self.history) and self.history[-1]["finished"]

    def run_epoch(self, epoch: int) -> dict[str, Any]:
        """Train epoch `epoch` (1-based over both phases), validate, and return the metrics."""
        started = time.perf_counter()
        self.enter_phase(HEAD_PHASE if epoch <= self.config.head_epochs else FINETUNE_PHASE)
        torch.manual_seed(_epoch_seed(self.config.seed, epoch, self.workers.rank))
        view = torch.from_numpy(self._view(epoch)).to(self.device)
        batches = self._batches(epoch)
        train_started = time.perf_counter()
        if self.phase == HEAD_PHASE:
            train, rates = self._train_head(view, batches)
        else:
            train, rates = self._train_unfrozen(view, batches)
        train_seconds = time.perf_counter() - train_started
        val = self._validate()
        metrics = self._metrics(
            epoch,
            train,
            val,
            rates=rates,
            images_per_second=len(batches) * self.config.batch_size / train_seconds,
            epoch_seconds=time.perf_counter() - started,
        )
        self.history.append(metrics)
        return metrics

    def enter_phase(self, phase: int) -> None:
        """At a phase's first epoch: freeze or unfreeze; a fresh optimiser and schedule."""
        if phase == self.phase:
            return
        self.phase = phase
        frozen = phase == HEAD_PHASE
        set_trainable(self.model, None if frozen else self.config.unfreeze)
        trained: nn.Module = self.model.head if frozen else self.model
        self.trained = self.workers.wrap(trained)
        num_epochs = self.config.head_epochs if frozen else self.config.finetune_epochs
        self.optimizer = build_optimizer(self.model, self.config)
        self.schedule = build_schedule(
            self.optimizer, self.config, num_epochs * self.steps_per_epoch
        )

    def checkpoint(self) -> Checkpoint:
        """All that a resume after the current epoch needs."""
        return Checkpoint(
            config=self.config,
            class_names=self.data.train.class_names,
            base_px=self.data.train.side_px,
            weights_id=self.weights_id,
            phase=self.phase,
            history=self.history,
            model=self.model.state_dict(),
            pretrained=self.pretrained,
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
        )

    def resume(self, path: Path) -> None:
        """Take over a checkpoint's state."""
        saved = load_checkpoint(path)
        self.enter_phase(saved.phase)
        restore_model(self.model, saved, self.pretrained)
        restore_optimizer(self.optimizer, saved.optimizer)
        self.schedule.load_state_dict(saved.schedule)
        self.history = saved.history

    def _view(self, epoch: int) -> np.ndarray:
        view = epoch_view(
            self.data.train.images,
            policy=self.config.augmentation,
            data_seed=self.data.data_seed,
            epoch=epoch,
        )
        return view if view.flags.writeable else view.copy()

    def _batches(self, epoch: int) -> "list[Batch]":
        """The epoch's batches: a shuffle without its incomplete last batch, some to be mixed."""
        rng = np.random.default_rng([self.config.seed, epoch])
        order = torch.from_numpy(rng.permutation(len(self.data.train))).to(self.device)
        mixed = rng.random(self.steps_per_epoch) < self.config.cutmix_probability
        size = self.config.batch_size
        return [
            Batch(self.workers.shard(order[i * size : (i + 1) * size]), bool(mixed[i]))
            for i in range(self.steps_per_epoch)
        ]

    def _train_head(self, view: Tensor, batches: "list[Batch]") -> tuple[Scores, dict[str, float]]:
        """Fit the head on the frozen backbone's features of this view.

        A batch that CutMix mixes has pixels of its own and takes the backbone's forward pass.
        """
        needed = torch.cat([b.indices for b in batches if not b.mixed] or [self.train_labels[:0]])
        features = torch.empty(len(view), self.model.num_features, device=self.device)
        features[needed] = self._features(view[needed])

        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            labels = self.train_labels[batch.indices]
            if not batch.mixed:
                return self.trained(features[batch.indices]), labels
            pixels, targets = self.cutmix(self._pixels(view[batch.indices]), labels)
            with torch.no_grad(), self._autocast():
                mixed_features = self.model.features(pixels)
            return self.trained(mixed_features.float()), targets

        return self._train(batches, forward)

    def _train_unfrozen(
        self, view: Tensor, batches: "list[Batch]"
    ) -> tuple[Scores, dict[str, float]]:
        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            pixels, targets = self._pixels(view[batch.indices]), self.train_labels[batch.indices]
            if batch.mixed:
                pixels, targets = self.cutmix(pixels, targets)
            with self._autocast():
                return self.trained(pixels), targets

        return self._train(batches, forward)

    def _train(
        self, batches: "list[Batch]", forward: "Callable[[Batch], tuple[Tensor, Tensor]]"
    ) -> tuple[Scores, dict[str, float]]:
        """One optimiser step a batch; returns the epoch's scores and its last step's rates."""
        self.model.train()
        tally = Tally(self.num_classes, self.device)
        rates = group_rates(self.optimizer)
        for batch in batches:
            logits, targets = forward(batch)
            loss = soft_cross_entropy(logits, targets, self.config.label_smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            rates = group_rates(self.optimizer)
            self.optimizer.step()
            self.schedule.step()
            tally.add(logits, self.train_labels[batch.indices], loss)
        return tally.sum_over(self.workers).scores(), rates

    @torch.inference_mode()
    def _validate(self) -> Scores:
        """Scores of this worker group on the validation split, backbone and head in eval mode."""
        self.model.eval()
        tally = Tally(self.num_classes, self.device)
        mine = self.workers.shard(torch.arange(len(self.val_labels), device=self.device))
        if self.phase == HEAD_PHASE:
            if self.frozen_val_features is None:  # the same in every epoch of phase 1
                self.frozen_val_features = self._features(self.val_images[mine])
            features = self.frozen_val_features
        else:
            features = self._features(self.val_images[mine])
        for chunk, values in zip(
            mine.split(EVALUATION_BATCH), features.split(EVALUATION_BATCH), strict=True
        ):
            logits, labels = self.model.head(values), self.val_labels[chunk]
            tally.add(logits, labels, soft_cross_entropy(logits, labels))
        return tally.sum_over(self.workers).scores()

    @torch.inference_mode()
    def _features(self, images: Tensor) -> Tensor:
        """The backbone's features in eval mode, float32 (N, F), of uint8 pictures (N, S, S, 3)."""
        self.model.eval()
        parts = [images.new_empty(0, self.model.num_features, dtype=torch.float32)]
        for chunk in images.split(EVALUATION_BATCH):
            with self._autocast():
                parts.append(self.model.features(self._pixels(chunk)).float())
        return torch.cat(parts)

    def _pixels(self, images: Tensor) -> Tensor:
        return self.resize(images)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"
        )

    def _metrics(
        self, epoch: int, train: Scores, val: Scores, *, rates: dict[str, float], **speeds: float
    ) -> dict[str, Any]:
        """The epoch's report: plain Python numbers, no NaN (an undefined number is left out)."""
        metrics: dict[str, Any] = {
            "epoch": epoch,
            "phase": self.phase,
            "train_loss": train.loss,
            "train_accuracy": train.accuracy,
            "val_loss": val.loss,
            "val_accuracy": val.accuracy,
            "val_macro_f1": val.macro_f1,
            "val_f1": dict(zip(self.data.train.class_names, val.f1, strict=True)),
            "val_confusion": val.confusion,
            "rate": rates,
            **speeds,
            "peak_memory_bytes": peak_memory_bytes(self.device),
        }
        if self.phase == FINETUNE_PHASE:  # absent in phase 1: no rung lies there
            metrics["phase2_epoch"] = epoch - self.config.head_epochs
        diverged = not (np.isfinite(train.loss) and np.isfinite(val.loss))
        metrics["diverged"] = diverged
        metrics["finished"] = diverged or epoch == self.config.total_epochs
        return {k: v for k, v in metrics.items() if not (isinstance(v, float) and v - v != 0)}


@dataclass(frozen=True)
class Batch:
    """Positions in the training split, int64 (B,), and whether CutMix mixes them."""

    indices: Tensor
    mixed: bool


def _epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """What torch's generator starts epoch `epoch` from (dropout, CutMix), each worker its own."""
    return int(np.random.SeedSequence([seed, epoch, rank, 1]).generate_state(1)[0])
