"""A running average of the weights, for evaluation."""

from typing import cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainables.models.network import FineTuneModel


class WeightAverage:
    """Exponential moving average: average = decay * average + (1 - decay) * weights, a step.

    BatchNorm's statistics are averaged likewise. The first update copies the weights. A trial in
    the middle of a one-cycle schedule is judged by its average, not at its hottest rate.
    """

    def __init__(self, model: FineTuneModel, decay: float) -> None:
        average = get_ema_multi_avg_fn(decay)
        self._averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True)

    @property
    def model(self) -> FineTuneModel:
        """The model with the averaged weights."""
        return cast(FineTuneModel, self._averaged.module)

    @property
    def num_updates(self) -> int:
        return int(self._averaged.n_averaged)

    def update(self, model: FineTuneModel) -> None:
        """Take in the weights after a step."""
        self._averaged.update_parameters(model)

    def restore(self, state: dict[str, Tensor], num_updates: int) -> None:
        """Take over a checkpoint's average."""
        self.model.load_state_dict(state)
        self._averaged.n_averaged.fill_(num_updates)
