"""The two-phase fine-tune: a frozen backbone first, then its top with differential rates.

Pure PyTorch: it takes pictures, a configuration and a report function, and knows no Ray. What is
random in epoch e is a function of (seed, e) and of the epoch before alone, so a trial that resumes
after any epoch goes on exactly as if it had never stopped.
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
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torchvision.transforms import v2

from trainables.augment import epoch_view
from trainables.batches import Batch, plan_batches
from trainables.checkpoints import Checkpoint, load_checkpoint, whole_state
from trainables.class_weights import class_weights
from trainables.config import FineTuneConfig
from trainables.data.classes import organic_mask
from trainables.data.images import ImageSet
from trainables.ema import WeightAverage
from trainables.epoch_report import epoch_report
from trainables.evaluation import Scores, Tally, soft_cross_entropy
from trainables.models import FineTuneModel, build_model, set_trainable
from trainables.optimizers import build_optimizer, build_schedule, group_rates, restore_optimizer
from trainables.parallel import SOLO, WorkerGroup
from trainables.preprocessing import PREPROCESSING
from trainables.resize import Resize
from trainables.stages import FINETUNE_PHASE, HEAD_PHASE, Stage, plan_stages, stage_at
from trainables.weights import load_backbone_state, weights_id

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
    """One configuration being trained: the model, the optimiser of the current stage, the clock."""

    def __init__(
        self, config: FineTuneConfig, data: TrialData, *, device: torch.device, workers: WorkerGroup
    ) -> None:
        self.config, self.data, self.device, self.workers = config, data, device, workers
        names = data.train.class_names
        self.num_classes = len(names)
        self.pretrained = load_backbone_state(config.backbone, config.weights)
        self.weights_id = weights_id(config.backbone, config.weights)
        model = build_model(config, self.num_classes, pretrained=self.pretrained)
        self.model: FineTuneModel = model.to(device).to(memory_format=torch.channels_last)
        self.resize = Resize(
            data.train.side_px,
            config.resolution_px,
            config.interpolation,
            device,
            normalisation=PREPROCESSING[config.preprocessing],
        )
        self.mixers = {
            "cutmix": v2.CutMix(alpha=config.cutmix_alpha, num_classes=self.num_classes),
            "mixup": v2.MixUp(alpha=config.mixup_alpha, num_classes=self.num_classes),
        }
        weights = class_weights(
            config.class_weights,
            data.train.labels,
            names,
            deformable_factor=config.deformable_factor,
        )
        self.class_weights = None if weights is None else torch.tensor(weights, device=device)
        self.steps_per_epoch = len(data.train) // config.batch_size
        self.train_labels = torch.tensor(data.train.labels, device=device)
        self.val_images = torch.tensor(data.val.images, device=device)
        self.val_labels = torch.tensor(data.val.labels, device=device)
        self.frozen_val_features: Tensor | None = None
        self.stages = plan_stages(config)
        self.stage: Stage | None = None
        self.average: WeightAverage | None = None
        self.optimizer: Optimizer
        self.schedule: LRScheduler | ReduceLROnPlateau
        self.history: list[dict[str, Any]] = []  # the metrics of each epoch so far

    @property
    def epoch(self) -> int:
        """Epochs trained so far."""
        return len(self.history)

    @property
    def finished(self) -> bool:
        return bool(self.history) and self.history[-1]["finished"]

    @property
    def evaluated(self) -> FineTuneModel:
        """The model that is judged, checkpointed as the best, and shipped."""
        return self.average.model if self.average else self.model

    def run_epoch(self, epoch: int) -> dict[str, Any]:
        """Train epoch `epoch` (1-based over both phases), validate, and return the metrics."""
        started = time.perf_counter()
        stage = self.enter_stage(stage_at(self.stages, epoch))
        torch.manual_seed(_epoch_seed(self.config.seed, epoch, self.workers.rank))
        view = torch.from_numpy(self._view(epoch)).to(self.device)
        batches = plan_batches(
            self.config,
            self.data.train.labels,
            epoch=epoch,
            train_confusion=self.history[-1]["train_confusion"] if self.history else None,
            workers=self.workers,
            device=self.device,
        )
        train_started = time.perf_counter()
        train_epoch = self._train_head if stage.phase == HEAD_PHASE else self._train_unfrozen
        train, rates = train_epoch(view, batches)
        train_seconds = time.perf_counter() - train_started
        val = self._validate(stage)
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(val.loss)
        metrics = epoch_report(
            self.config,
            self.history,
            class_names=self.data.train.class_names,
            phase=stage.phase,
            train=train,
            val=val,
            rates=rates,
            images_per_second=len(batches) * self.config.batch_size / train_seconds,
            epoch_seconds=time.perf_counter() - started,
            device=self.device,
        )
        self.history.append(metrics)
        return metrics

    def enter_stage(self, stage: Stage) -> Stage:
        """At a stage's first epoch: freeze or unfreeze; a fresh optimiser and schedule."""
        if stage == self.stage:
            return stage
        self.stage = stage
        is_finetune = stage.phase == FINETUNE_PHASE
        set_trainable(
            self.model,
            stage.depth,
            share=stage.share,
            freeze_statistics=self.config.batchnorm == "frozen",
        )
        self.trained: nn.Module = self.workers.wrap(self.model if is_finetune else self.model.head)
        self.optimizer = build_optimizer(self.model, self.config, rate_factor=stage.rate_factor)
        num_steps = stage.num_epochs * self.steps_per_epoch
        self.schedule = build_schedule(self.optimizer, self.config, num_steps)
        if is_finetune and self.config.ema_decay and self.average is None:
            self.average = WeightAverage(self.model, self.config.ema_decay)
        return stage

    def checkpoint(self) -> Checkpoint:
        """All that a resume after the current epoch needs."""
        return Checkpoint(
            config=self.config,
            class_names=self.data.train.class_names,
            base_px=self.data.train.side_px,
            weights_id=self.weights_id,
            history=self.history,
            pretrained=self.pretrained,
            model=self.model.state_dict(),
            average=self.average.model.state_dict() if self.average else {},
            num_averaged=self.average.num_updates if self.average else 0,
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
        )

    def resume(self, path: Path) -> None:
        """Take over a checkpoint's state."""
        saved = load_checkpoint(path)
        self.history = saved.history
        self.enter_stage(stage_at(self.stages, self.epoch))
        self.model.load_state_dict(whole_state(saved, saved.model, self.pretrained))
        if self.average:
            average = whole_state(saved, saved.average, self.pretrained)
            self.average.restore(average, saved.num_averaged)
        restore_optimizer(self.optimizer, saved.optimizer)
        self.schedule.load_state_dict(saved.schedule)

    def _view(self, epoch: int) -> np.ndarray:
        train = self.data.train
        view = epoch_view(
            train.images,
            policy=self.config.augmentation,
            data_seed=self.data.data_seed,
            epoch=epoch,
            organic=organic_mask(train.class_names)[train.labels],
        )
        return view if view.flags.writeable else view.copy()

    def _train_head(self, view: Tensor, batches: list[Batch]) -> tuple[Scores, dict[str, float]]:
        """Fit the head on the frozen backbone's features of this view.

        A mixed batch has pixels of its own and takes the backbone's forward pass.
        """
        plain = [batch.indices for batch in batches if not batch.mixing]
        needed = torch.cat(plain).unique() if plain else self.train_labels[:0]
        features = torch.empty(len(view), self.model.num_features, device=self.device)
        features[needed] = self._features(self.model, view[needed])

        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            if not batch.mixing:
                return self.trained(features[batch.indices]), self.train_labels[batch.indices]
            pixels, targets = self._pixels_and_targets(view, batch)
            with torch.no_grad(), self._autocast():
                mixed_features = self.model.features(pixels)
            return self.trained(mixed_features.float()), targets

        return self._train(batches, forward)

    def _train_unfrozen(
        self, view: Tensor, batches: list[Batch]
    ) -> tuple[Scores, dict[str, float]]:
        def forward(batch: Batch) -> tuple[Tensor, Tensor]:
            pixels, targets = self._pixels_and_targets(view, batch)
            with self._autocast():
                return self.trained(pixels), targets

        return self._train(batches, forward)

    def _train(
        self, batches: list[Batch], forward: Callable[[Batch], tuple[Tensor, Tensor]]
    ) -> tuple[Scores, dict[str, float]]:
        """One optimiser step a batch; returns the epoch's scores and its last step's rates."""
        self.model.train()
        tally = Tally(self.num_classes, self.device)
        rates = group_rates(self.optimizer)
        for batch in batches:
            logits, targets = forward(batch)
            loss = soft_cross_entropy(
                logits,
                targets,
                label_smoothing=self.config.label_smoothing,
                class_weights=self.class_weights,
            )
            self.optimizer.zero_grad()
            loss.backward()
            rates = group_rates(self.optimizer)
            self.optimizer.step()
            if not isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step()
            if self.average:
                self.average.update(self.model)
            labels = self.train_labels[batch.indices]
            tally.add(logits, labels, loss, has_one_label=not batch.mixing)
        return tally.sum_over(self.workers).scores(), rates

    @torch.inference_mode()
    def _validate(self, stage: Stage) -> Scores:
        """Scores of the evaluated model on the validation split, over all workers."""
        model = self.evaluated.eval()
        mine = self.workers.shard(torch.arange(len(self.val_labels), device=self.device))
        if stage.phase == FINETUNE_PHASE:
            features = self._features(model, self.val_images[mine])
        else:  # the same in every epoch of phase 1
            if self.frozen_val_features is None:
                self.frozen_val_features = self._features(model, self.val_images[mine])
            features = self.frozen_val_features
        tally = Tally(self.num_classes, self.device)
        for chunk, values in zip(
            mine.split(EVALUATION_BATCH), features.split(EVALUATION_BATCH), strict=True
        ):
            logits, labels = model.head(values), self.val_labels[chunk]
            tally.add(logits, labels, soft_cross_entropy(logits, labels))
        return tally.sum_over(self.workers).scores()

    @torch.inference_mode()
    def _features(self, model: FineTuneModel, images: Tensor) -> Tensor:
        """A backbone's features in eval mode, float32 (N, F), of uint8 pictures (N, S, S, 3)."""
        model.eval()
        parts = [images.new_empty(0, model.num_features, dtype=torch.float32)]
        for chunk in images.split(EVALUATION_BATCH):
            with self._autocast():
                parts.append(model.features(self.resize(chunk)).float())
        return torch.cat(parts)

    def _pixels_and_targets(self, view: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """A batch at the network's resolution, and its labels or mixed class probabilities."""
        pixels, labels = self.resize(view[batch.indices]), self.train_labels[batch.indices]
        if batch.mixing:
            pixels, labels = self.mixers[batch.mixing](pixels, labels)
        return pixels, labels

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"
        )


def _epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """What torch's generator starts epoch `epoch` from (dropout, mixing), each worker its own."""
    return int(np.random.SeedSequence([seed, epoch, rank, 1]).generate_state(1)[0])
