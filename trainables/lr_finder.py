"""A short learning-rate finder: raise the rate step by step, watch the loss, suggest a peak.

Smith 2017, "Cyclical learning rates for training neural networks", section 3.3, with fastai's
stopping rule and suggestions. What is trained is a throw-away model made here: no other model, no
file and no random state of the caller changes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from trainables.classes import organic_mask
from trainables.config import FineTuneConfig
from trainables.models.checkpoints import Checkpoint
from trainables.models.network import FineTuneModel, build_model, set_trainable
from trainables.models.resize import Resize
from trainables.training.augment import epoch_view
from trainables.training.batches import plan_batches
from trainables.training.epoch_report import EpochReport
from trainables.training.evaluation import soft_cross_entropy
from trainables.training.optimizers import build_optimizer, group_rates
from trainables.training.parallel import SOLO
from trainables.training.pictures import TrialData
from trainables.training.stages import FINETUNE_PHASE
from trainables.two_phase import fine_tune

LOWEST_RATE, HIGHEST_RATE = 1e-5, 10.0  # of the head; a sweep's first and last
MEMORY = 0.2  # of the smoothed loss, as a share of the sweep, however many steps it has
SETTLING = 0.1  # share of the sweep at whose end the smoothed loss counts (fastai)
DIVERGED = 4.0  # smoothed loss over its lowest so far (fastai)
CLEAR_FALL = 0.05  # share of the loss; a smaller fall may be the batches' noise

FloatArray = NDArray[np.float64]
Report = Callable[[int, float, float], None]  # step (1-based), rate, smoothed loss


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Loss against rate, over the T steps until the sweep ended.

    Attributes:
        rates: float64 (T,), the head's learning rate.
        losses: float64 (T,), smoothed cross-entropy in nats, all finite.
        diverged: whether the loss ended the sweep before its last step.
    """

    rates: FloatArray
    losses: FloatArray
    diverged: bool


def sweep(
    config: FineTuneConfig,
    data: TrialData,
    *,
    phase: int,
    num_steps: int,
    device: torch.device,
    report: Report = lambda step, rate, loss: None,
) -> Curve:
    """Train a model of its own for `num_steps` steps, the rate growing by the same factor each.

    The steps are a trial's: its epoch views, shuffles, resolution, loss and optimiser. Batches are
    neither mixed nor mined, examples are not weighted, and unfreezing is not gradual.

    Args:
        config: of the trial; its `head_lr` matters only to the head that phase 2 starts from.
        data: of the trial; nothing in the curve depends on the validation pictures.
        phase: 1 sweeps the head on a frozen backbone. 2 trains phase 1 as a trial does, then
            sweeps all groups together: the backbone's rates keep their ratio to the head's.
        num_steps: of the whole sweep.
        device: where to train.
        report: called after each step.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        model = _model_at_start_of(phase, config, data, device)
        optimizer = build_optimizer(model, replace(config, head_lr=LOWEST_RATE))
        growth = (HIGHEST_RATE / LOWEST_RATE) ** (1 / (num_steps - 1))
        schedule = ExponentialLR(optimizer, gamma=growth)
        rates: list[float] = []
        losses: list[float] = []
        curve = Curve(rates=np.empty(0), losses=np.empty(0), diverged=True)
        torch.manual_seed(config.seed)  # of dropout
        for pixels, labels in islice(_batches(phase, config, data, device), num_steps):
            with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
                logits = model(pixels)
            loss = soft_cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            if not loss.isfinite():
                return replace(curve, diverged=True)
            rates.append(group_rates(optimizer)["head"])
            losses.append(loss.item())
            curve = smoothed_curve(rates, losses, num_steps=num_steps)
            report(len(losses), float(curve.rates[-1]), float(curve.losses[-1]))
            if curve.diverged:
                return curve
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        return curve


def smoothed_curve(rates: Sequence[float], losses: Sequence[float], *, num_steps: int) -> Curve:
    """The curve through the rates and losses, (T,) each, of a sweep that was to take `num_steps`.

    The average lags behind the rate, and is meant to: fastai's rules read curves that lag. With
    the lag taken out they suggest about three times less.
    """
    smoothed = smooth(losses, beta=1 - 1 / (MEMORY * num_steps))
    return Curve(
        rates=np.array(rates, np.float64),
        losses=smoothed,
        diverged=bool(smoothed[-1] > DIVERGED * smoothed.min()),
    )


def smooth(values: Sequence[float], beta: float) -> FloatArray:
    """Exponential running average of (T,) values, free of the pull towards its start at zero."""
    pulled: FloatArray = lfilter([1 - beta], [1, -beta], np.array(values, np.float64))
    return pulled / (1 - beta ** np.arange(1, len(values) + 1))


def suggest(curve: Curve) -> dict[str, float]:
    """Each rule's suggestion for the one-cycle peak; empty when the curve has no clear minimum."""
    start = int(SETTLING * len(curve.losses))
    rates, losses = curve.rates[start:], curve.losses[start:]
    if not has_clear_minimum(losses):
        return {}
    return {"valley": valley(rates, losses), "steepest": steepest(rates, losses)}


def has_clear_minimum(losses: FloatArray) -> bool:
    """Whether the loss falls by more than the noise of its batches."""
    return len(losses) > 1 and bool(losses.min() <= (1 - CLEAR_FALL) * losses[0])


def steepest(rates: FloatArray, losses: FloatArray) -> float:
    """The rate at which the loss falls fastest per decade, on the way to its minimum (T >= 2)."""
    slopes = np.gradient(losses, np.log(rates))
    return float(rates[slopes[: losses.argmin() + 1].argmin()])


def valley(rates: FloatArray, losses: FloatArray) -> float:
    """The rate in the middle of the longest descent, fastai's default.

    The descent is the longest strictly falling subsequence on the way to the minimum. (fastai takes
    its length back from its end, which misplaces one that is not in one piece.)
    """
    losses = losses[: losses.argmin() + 1]
    lengths = np.ones(len(losses), np.int64)
    previous = np.zeros(len(losses), np.int64)
    for i in range(len(losses)):
        higher = np.flatnonzero(losses[:i] > losses[i])
        if len(higher):
            previous[i] = higher[lengths[higher].argmax()]
            lengths[i] = lengths[previous[i]] + 1
    step = len(losses) - 1  # the minimum: it prolongs every descent
    for _ in range((lengths[step] - 1) // 2):
        step = previous[step]
    return float(rates[step])


def _model_at_start_of(
    phase: int, config: FineTuneConfig, data: TrialData, device: torch.device
) -> FineTuneModel:
    """A new model in train mode; for phase 2 with a head that a trial's phase 1 has trained."""
    model = build_model(config, len(data.train.class_names))
    if phase == FINETUNE_PHASE:
        # On a random head the sweep would find the head's rate again.
        def take_over(_: EpochReport, make_checkpoint: Callable[[], Checkpoint] | None) -> None:
            if make_checkpoint:
                model.load_state_dict(make_checkpoint().model)

        fine_tune(replace(config, finetune_epochs=0), data, take_over, device=device)
    set_trainable(
        model,
        config.unfreeze if phase == FINETUNE_PHASE else None,
        freeze_statistics=config.batchnorm == "frozen",
    )
    return model.to(device).to(memory_format=torch.channels_last).train()


def _batches(
    phase: int, config: FineTuneConfig, data: TrialData, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pixels and labels of batch after batch, from the phase's first epoch on, without end."""
    train = data.train
    resize = Resize.of(config, train.side_px, device)
    for epoch in count(1 + (config.head_epochs if phase == FINETUNE_PHASE else 0)):
        view = epoch_view(
            train.images,
            policy=config.augmentation,
            data_seed=data.data_seed,
            epoch=epoch,
            organic=organic_mask(train.class_names, config.organic_classes)[train.labels],
        )
        for batch in plan_batches(
            config,
            train,
            epoch=epoch,
            train_confusion=None,
            workers=SOLO,
            device=torch.device("cpu"),  # where the view is
        ):
            indices = batch.indices.numpy()
            pixels = resize(torch.from_numpy(view[indices]).to(device))
            yield pixels, torch.from_numpy(train.labels[indices]).to(device)
