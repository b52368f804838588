"""From what the parts of a trial took to the seconds of its epochs; arithmetic alone."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from search.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Below:
    """The backbone's parts below an unfreeze point.

    Attributes:
        num_parts: how many.
        share: of the backbone's forward pass.
        picture_bytes: what they make of one picture.
    """

    num_parts: int
    share: float
    picture_bytes: int


@dataclass(frozen=True, kw_only=True)
class EpochCost:
    """Seconds of an epoch.

    Attributes:
        own: what every trial pays.
        shared: what only the first trial that needs it pays, by what it is.
    """

    own: float
    shared: Mapping[Hashable, float]

    @property
    def alone(self) -> float:
        """Where no other trial shares."""
        return self.own + sum(self.shared.values())


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a configuration asks for, whatever that takes.

    Attributes:
        augmentation: the policy of the epoch views.
        mixed_share: of the batches.
        head_epochs: of phase 1.
        frozen: what its frozen features depend on besides the pictures; equal ones are shared.
        forward_flops: of a frozen forward pass of one picture.
        step_flops: of one picture's part of a step, a number for each epoch of phase 2.
        below: the frozen part of the network in each epoch of phase 2.
    """

    augmentation: str
    mixed_share: float
    head_epochs: int
    frozen: tuple[Hashable, ...]
    forward_flops: float
    step_flops: tuple[float, ...]
    below: tuple[Below, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What one configuration's parts took; seconds a picture where nothing else is said.

    Attributes:
        forward_flops, step_flops: the work behind a frozen forward pass and behind a step of
            phase 2, a picture; by these another configuration finds its place between two.
        head: phase 1, a picture of a plain batch: its frozen features, then the head's step.
        mixed: phase 1, a picture of a batch that CutMix or MixUp has mixed.
        finetune: phase 2, a picture's part of an optimiser step.
        validation: a validation picture.
        head_checkpoint, finetune_checkpoint: seconds each.
    """

    forward_flops: float
    step_flops: float
    head: float
    mixed: float
    finetune: float
    validation: float
    head_checkpoint: float
    finetune_checkpoint: float


@dataclass(frozen=True, kw_only=True)
class MeasuredCosts:
    """All that a trial's time is made of.

    Attributes:
        cheap, dear: the parts of the cheapest and of the dearest configuration.
        views: seconds a picture, by the policy's name.
        start: seconds until a slot takes its first trial.
    """

    cheap: Parts
    dear: Parts
    views: Mapping[str, float]
    start: float


def combine(samples: Sequence[Parts], choose: Callable[[list[float]], float]) -> Parts:
    """Several measurements as one, part by part: the least, the mean or the most of them."""
    names = [field.name for field in fields(Parts)]
    return Parts(**{name: choose([getattr(s, name) for s in samples]) for name in names})


def total_flops(demand: Demand, settings: Settings) -> float:
    """The work of a whole trial, by which the cheapest and the dearest are found."""
    frozen = demand.head_epochs * settings.train_size
    validated = (1 + len(demand.step_flops)) * settings.val_size  # phase 1's features: once
    return (frozen + validated) * demand.forward_flops + settings.train_size * sum(
        demand.step_flops
    )


def epochs(demand: Demand, measured: MeasuredCosts, settings: Settings) -> list[EpochCost]:
    """What the epochs of a whole trial take, from its first to its last.

    What was measured at two ends is interpolated by the work in between, and nowhere extrapolated.
    """
    ends = (measured.cheap, measured.dear)

    def frozen(part: str) -> float:
        points = [(end.forward_flops, getattr(end, part)) for end in ends]
        return between(demand.forward_flops, *points)

    def trained(part: str, work: float) -> float:
        points = [(end.step_flops, getattr(end, part)) for end in ends]
        return between(work, *points)

    reuse, several = settings.reuse_with, settings.workers_per_trial > 1
    shares = reuse.is_on and not several
    train = settings.train_size / settings.workers_per_trial  # pictures of one worker
    val = settings.val_size / settings.workers_per_trial
    mixed, plain, forward = demand.mixed_share, 1 - demand.mixed_share, frozen("validation")
    found = []
    for number in range(1, demand.head_epochs + len(demand.below) + 1):
        seen = (demand.augmentation, number if demand.augmentation != "none" else 0)
        # Every worker draws the whole view.
        shared: dict[Hashable, float] = {
            ("view", seen): settings.train_size * measured.views[demand.augmentation]
        }
        if number <= demand.head_epochs:
            features = min(forward, frozen("head"))
            shared["features", demand.frozen, seen] = train * features * (1 if shares else plain)
            if number == 1:
                shared["validation", demand.frozen] = val * forward
            own = train * (plain * (frozen("head") - features) + mixed * frozen("mixed"))
            own += frozen("head_checkpoint")
        else:
            i = number - 1 - demand.head_epochs
            work, below = demand.step_flops[i], demand.below[i]
            step, under = trained("finetune", work), 0.0  # under: of it, below the unfreeze point
            if shares and reuse.shares_trunk(settings.train_size * below.picture_bytes):
                under = min(step, below.share * forward)
                point = (demand.frozen, below.num_parts)
                shared["below", point, seen] = train * under
                shared["below, validation", point] = val * under
            own = train * (step - plain * under) + val * (forward - under)
            own += trained("finetune_checkpoint", work)
        if not shares:
            own, shared = own + sum(shared.values()), {}
        found.append(EpochCost(own=own, shared=shared))
    return found


def between(x: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """y at x on the line through two points (x, y), no further out than they are.

    Where both lie at the same x, the mean of their y.
    """
    (x1, y1), (x2, y2) = sorted((first, second))
    if x1 == x2:
        return (y1 + y2) / 2
    return float(np.interp(x, [x1, x2], [y1, y2]))
