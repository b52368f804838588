"""The two-phase fine-tune: a frozen backbone first, then its top with differential rates.

Pure PyTorch: it takes pictures, a configuration and a report function, and knows no Ray. What is
random in epoch e is a function of (seed, e) and of the epoch before alone, so a trial that resumes
after any epoch goes on exactly as if it had never stopped.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from trainables.config import FineTuneConfig, pair_indices
from trainables.models.checkpoints import Checkpoint, load_checkpoint, whole_state
from trainables.models.network import FineTuneModel, build_model, set_trainable
from trainables.models.weights import load_backbone_state, weights_id
from trainables.training.activations import EVALUATION_BATCH
from trainables.training.batches import Batch, plan_batches
from trainables.training.class_weights import class_weights
from trainables.training.epoch_report import EpochReport, epoch_report, reset_peak_memory
from trainables.training.evaluation import Scores, Tally, soft_cross_entropy
from trainables.training.forward import Forward, Network
from trainables.training.optimizers import (
    WeightAverage,
    build_optimizer,
    build_schedule,
    group_rates,
    restore_optimizer,
)
from trainables.training.parallel import SOLO, WorkerGroup
from trainables.training.pictures import Pictures, TrialData, View
from trainables.training.reuse import NO_REUSE, Reuse
from trainables.training.stages import FINETUNE_PHASE, HEAD_PHASE, Stage, plan_stages, stage_at

# Called after each epoch with the epoch's metrics and a function that makes its checkpoint. After a
# resume it is first called again for every epoch so far, with None: whoever listens may have been
# killed before it heard of the last ones.
Report = Callable[[EpochReport, Callable[[], Checkpoint] | None], None]


def fine_tune(
    config: FineTuneConfig,
    data: TrialData,
    report: Report,
    *,
    device: torch.device,
    workers: WorkerGroup = SOLO,
    reuse: Reuse = NO_REUSE,
    resume_from: Path | None = None,
    weights: str = "",
) -> None:
    """Train one configuration from its first epoch, or from after a checkpoint, to its last.

    Args:
        config: what to train.
        data: what to train it on.
        report: called after each epoch.
        device: to train on.
        workers: that train it together.
        reuse: where epoch views and frozen activations are shared with other trials; it changes
            no number. Several workers, each of which sees a part of every batch, share nothing.
        resume_from: a checkpoint's folder.
        weights: a file in place of `config.weights`, of the same tensors (`run_weights`).
    """
    reset_peak_memory(device)
    with torch.random.fork_rng(enabled=device.type == "cpu"):
        trial = Trial(config, data, device=device, workers=workers, reuse=reuse, weights=weights)
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
        self,
        config: FineTuneConfig,
        data: TrialData,
        *,
        device: torch.device,
        workers: WorkerGroup,
        reuse: Reuse = NO_REUSE,
        weights: str = "",
    ) -> None:
        self.config, self.data, self.device, self.workers = config, data, device, workers
        names = data.train.class_names
        self.num_classes = len(names)
        weights = weights or config.weights
        self.pretrained = load_backbone_state(config.backbone, weights)
        self.weights_id = weights_id(config.backbone, weights)
        model = build_model(config, self.num_classes, pretrained=self.pretrained)
        self.model: FineTuneModel = model.to(device).to(memory_format=torch.channels_last)
        reuse = reuse if workers.size == 1 else NO_REUSE
        # On a CPU it would take its time from the training.
        self.draws_ahead = reuse.is_on and device.type != "cpu"
        self.pictures = Pictures(config, data, device=device, reuse=reuse, weights=weights)
        is_bf16 = config.precision == "bf16"
        self.network = Network(self.model, self.pictures, device, is_bf16=is_bf16)
        self.micro_batches = 1  # parts of a batch that go through the network in turn
        of_classes = class_weights(
            config.class_weights,
            data.train.labels,
            names,
            organic=config.organic_classes,
            deformable_factor=config.deformable_factor,
            pair=pair_indices(config.pair, names),
            pair_factor=config.pair_factor,
        )
        self.class_weights = None if of_classes is None else torch.tensor(of_classes, device=device)
        self.steps_per_epoch = len(data.train) // config.batch_size
        self.frozen_val_features: Tensor | None = None
        self.stages = plan_stages(config)
        self.stage: Stage | None = None
        self.average: WeightAverage | None = None
        self.optimizer: Optimizer
        self.schedule: LRScheduler | ReduceLROnPlateau
        self.history: list[EpochReport] = []  # the metrics of each epoch so far
        # The classes predicted after each, int16 (epochs, N).
        self.val_predictions = torch.empty(0, len(data.val), dtype=torch.int16, device=device)

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

    def run_epoch(self, epoch: int) -> EpochReport:
        """Train epoch `epoch` (1-based over both phases), validate, and return the metrics."""
        started = time.perf_counter()
        stage = self.enter_stage(stage_at(self.stages, epoch))
        torch.manual_seed(_epoch_seed(self.config.seed, epoch, self.workers.rank))
        view = self.pictures.view(epoch)
        if self.draws_ahead and epoch < self.stages[-1].last_epoch:
            self.pictures.draw_ahead(epoch + 1)
        batches = plan_batches(
            self.config,
            self.data.train,
            epoch=epoch,
            train_confusion=self.history[-1]["train_confusion"] if self.history else None,
            workers=self.workers,
            device=self.device,
        )
        train_started = time.perf_counter()
        train, rates = self.train(stage, view, batches)
        train_seconds = time.perf_counter() - train_started
        val, val_predictions = self.validate(stage)
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
            micro_batches=self.micro_batches,
            device=self.device,
        )
        self.history.append(metrics)
        self.val_predictions = torch.vstack([self.val_predictions, val_predictions])
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
            val_predictions=self.val_predictions,
        )

    def resume(self, path: Path) -> None:
        """Take over a checkpoint's state."""
        saved = load_checkpoint(path)
        self.history = cast(list[EpochReport], saved.history)
        self.val_predictions = saved.val_predictions.to(self.device)
        self.enter_stage(stage_at(self.stages, self.epoch))
        self.model.load_state_dict(self._whole(saved, saved.model))
        if self.average:
            self.average.restore(self._whole(saved, saved.average), saved.num_averaged)
        restore_optimizer(self.optimizer, saved.optimizer)
        self.schedule.load_state_dict(saved.schedule)

    def _whole(self, saved: Checkpoint, changed: dict[str, Tensor]) -> dict[str, Tensor]:
        return whole_state(saved, changed, self.pretrained, self.weights_id)

    def train(
        self, stage: Stage, view: View, batches: list[Batch]
    ) -> tuple[Scores, dict[str, float]]:
        """One optimiser step a batch of `view`; the scores and the last step's rates."""
        is_head = stage.phase == HEAD_PHASE
        prepare = self.network.head_phase if is_head else self.network.finetune_phase
        forward = prepare(self.trained, view, batches)
        self.model.train()
        tally = Tally(self.num_classes, self.device)
        rates = group_rates(self.optimizer)
        for batch in batches:
            self.backward(batch, forward, tally)
            rates = group_rates(self.optimizer)
            self.optimizer.step()
            if not isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step()
            if self.average:
                self.average.update(self.model)
        return tally.sum_over(self.workers).scores(), rates

    def backward(self, batch: Batch, forward: Forward, tally: Tally) -> None:
        """A batch's gradients; where memory does not hold it, those of its halves from now on."""
        try:
            self._accumulate(batch.split(self.micro_batches), forward, tally)
            return
        except torch.OutOfMemoryError:
            if self.micro_batches > 1 or self.workers.size > 1:
                raise
        # Here, not above: while an error is handled, its traceback holds the step's tensors.
        self.micro_batches = 2
        torch.cuda.empty_cache()
        self._accumulate(batch.split(self.micro_batches), forward, tally)

    def _accumulate(self, parts: list[Batch], forward: Forward, tally: Tally) -> None:
        """Gradients of the mean loss over all parts."""
        self.optimizer.zero_grad()
        total = sum(len(part.indices) for part in parts)
        told = []
        for part in parts:
            logits, targets = forward(part)
            loss = soft_cross_entropy(
                logits,
                targets,
                label_smoothing=self.config.label_smoothing,
                class_weights=self.class_weights,
            )
            (loss * (len(part.indices) / total)).backward()
            told.append((part, logits.detach(), loss.detach()))
        for part, logits, loss in told:  # once all parts have gone through
            labels = self.pictures.train_labels[part.indices]
            tally.add(logits, labels, loss, has_one_label=not part.mixing)

    @torch.no_grad()
    def validate(self, stage: Stage) -> tuple[Scores, Tensor]:
        """The evaluated model on the validation split: its scores, over all workers, and classes.

        The predicted classes are int16 (N,), in the order of the split, and stay on the device.
        """
        model, labels = self.evaluated.eval(), self.pictures.val_labels
        mine = self.workers.shard(torch.arange(len(labels), device=self.device))
        if stage.phase == FINETUNE_PHASE:
            features = self.network.val_features(model, mine)
        else:  # the same in every epoch of phase 1
            if self.frozen_val_features is None:
                self.frozen_val_features = self.network.val_features(model, mine)
            features = self.frozen_val_features
        tally = Tally(self.num_classes, self.device)
        predictions = torch.zeros(len(labels), dtype=torch.int32, device=self.device)
        for chunk, values in zip(
            mine.split(EVALUATION_BATCH), features.split(EVALUATION_BATCH), strict=True
        ):
            logits = model.head(values)
            predictions[chunk] = logits.argmax(dim=1).int()
            tally.add(logits, labels[chunk], soft_cross_entropy(logits, labels[chunk]))
        self.workers.sum(predictions)  # 0 where the picture is another worker's
        return tally.sum_over(self.workers).scores(), predictions.short()


def _epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """What torch's generator starts epoch `epoch` from (dropout, mixing), each worker its own."""
    return int(np.random.SeedSequence([seed, epoch, rank, 1]).generate_state(1)[0])
