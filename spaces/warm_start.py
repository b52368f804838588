"""What a study is given before its sampler chooses: points worth a trial, and prior results."""

import warnings
from dataclasses import asdict, dataclass
from typing import Any, Literal

from optuna.distributions import CategoricalDistribution
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from spaces.decks import deck_configs
from spaces.dimensions import parameters
from spaces.registry import Space, quiet_study
from trainables.config import FineTuneConfig
from trainables.errors import UserError


@dataclass(frozen=True, kw_only=True)
class PriorResult:
    """The result of a configuration that another run has trained.

    Attributes:
        config: the whole configuration.
        params: what the space of the new study chooses of it.
        state: COMPLETE, or PRUNED where it was stopped early.
        value: the best epoch's; None for a stopped one.
        values: epoch -> value.
    """

    config: dict[str, Any]
    params: dict[str, Any]
    state: Literal["COMPLETE", "PRUNED"]
    value: float | None
    values: dict[int, float]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PriorResult":
        by_epoch = {int(epoch): value for epoch, value in values["values"].items()}
        return cls(**{**values, "values": by_epoch})

    def as_trial(self, draw: Any, user_attrs: dict[str, Any]) -> FrozenTrial:
        """An ended trial of a study whose space is `draw`, conditional settings included."""
        trial = FixedTrial(self.params)
        draw(trial)
        return create_trial(
            state=TrialState[self.state],
            value=self.value,
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values=self.values,
            user_attrs=user_attrs,
        )


def first_asked(space: Space, base: FineTuneConfig) -> list[dict[str, Any]]:
    """Parameters to enqueue in a new study of a space that suits the run.

    A design (a space whose one parameter is a choice among arms) is asked every arm, in its order:
    a sampler would repeat some and miss others. Any other space is asked the run's own settings,
    so that a search is at least as good as they are, if they lie in it.
    """
    trial = quiet_study(seed=0).ask()
    space(trial, base)
    match list(trial.distributions.items()):
        case [(name, CategoricalDistribution(choices=choices))]:
            return [{name: choice} for choice in choices]
    return [point for point in [parameters(base)] if holds(space, base, point)]


def deck_points(space: Space, base: FineTuneConfig) -> list[dict[str, Any]]:
    """Parameters of each deck to enqueue in a study of a space, as far as they lie in it.

    What the space does not ask for, such as a deck's backbone in `full`, stays the run's own.
    """
    points = (parameters(config) for config in deck_configs(base).values())
    return [point for point in points if holds(space, base, point)]


def exact_point(
    space: Space, base: FineTuneConfig, config: FineTuneConfig
) -> dict[str, Any] | None:
    """The parameters with which a space draws exactly this configuration; None if it cannot."""
    trial = FixedTrial(parameters(config))
    if not holds(space, base, parameters(config)) or space(trial, base) != config:
        return None
    return trial.params


def holds(space: Space, base: FineTuneConfig, point: dict[str, Any]) -> bool:
    """Whether a space takes a point; a study that is asked another fails, or leaves its ranges."""
    study = quiet_study(seed=0)
    study.enqueue_trial(point)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Optuna's of a value out of its range
        try:
            space(study.ask(), base)
        except (ValueError, UserWarning, UserError):
            return False
    return True
