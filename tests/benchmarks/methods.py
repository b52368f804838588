"""Ray's documented way and this project's, part by part, as methods for the simulator."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FixedTrial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from search.records.record import OBJECTIVE, RunLog
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule
from search.tuning.study import JournaledStudy, Suggest
from search.tuning.tuner import startup_trials
from spaces.dimensions import parameters
from spaces.registry import load_space
from tests.benchmarks.simulator import Method, Proposal
from tests.benchmarks.surrogate import BASE, SPACE
from trainables.config import FineTuneConfig

ETA = 3.0  # the project's default; Ray's own is 4
NUM_TRIALS = 64  # what the project's number of startup trials is reckoned from


def suggest_in(space_name: str) -> Suggest:
    """Configurations of a space, on the recorded trials' own settings."""
    space = load_space(space_name)
    return lambda trial: replace(space(trial, BASE), early_stopping_epochs=0)


def recorded_params(config: FineTuneConfig) -> dict[str, Any]:
    """What the recorded trials' space would have been asked for a configuration."""
    trial = FixedTrial(parameters(config))
    load_space(SPACE)(trial, BASE)
    return trial.params


class Stock:
    """`OptunaSearch(space, metric, mode, seed)` and a scheduler, called as Tune calls them."""

    def __init__(self, suggest: Suggest, scheduler: TrialScheduler, *, seed: int) -> None:
        self._scheduler = scheduler
        self._searcher = OptunaSearch(
            lambda trial: {"config": suggest(trial).to_dict()},
            metric=OBJECTIVE,
            mode="max",
            seed=seed,
        )
        self._trials: list[SimpleNamespace] = []

    def ask(self) -> Proposal:
        number = len(self._trials)
        trial = SimpleNamespace(trial_id=str(number), config={"number": number})
        asked = self._searcher.suggest(trial.trial_id)
        assert asked is not None
        self._trials.append(trial)
        self._scheduler.on_trial_add(None, trial)
        config = FineTuneConfig.from_dict(asked["config"])
        return Proposal(number=number, params=recorded_params(config))

    def report(self, number: int, report: dict[str, Any]) -> bool:
        trial = self._trials[number]
        stops = self._scheduler.on_trial_result(None, trial, report) == TrialScheduler.STOP
        if not stops:
            self._searcher.on_trial_result(trial.trial_id, report)
        if stops or report["finished"]:
            self._scheduler.on_trial_complete(None, trial, report)
            self._searcher.on_trial_complete(trial.trial_id, report)
        return stops


class Truthful:
    """This project's study and a scheduler, told of as the recorder does."""

    def __init__(
        self,
        suggest: Suggest,
        scheduler: TrialScheduler,
        *,
        seed: int,
        sampler: BaseSampler | None = None,
        own_settings_first: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._log = RunLog()
        self._study = _StudyWithSampler(
            suggest,
            storage=InMemoryStorage(),
            seed=seed,
            num_startup_trials=startup_trials(NUM_TRIALS),
            first=[parameters(BASE)] if own_settings_first else (),
            log=self._log,
        )
        self._study.fixed_sampler = sampler
        self._trials: dict[int, SimpleNamespace] = {}

    def ask(self) -> Proposal | None:
        asked = self._study.ask()
        if asked is None:
            return None
        number = asked.number
        self._trials[number] = SimpleNamespace(trial_id=str(number), config={"number": number})
        self._scheduler.on_trial_add(None, self._trials[number])
        self._log.write("started", trial=number, config=asked.config.to_dict(), params=asked.params)
        return Proposal(number=number, params=recorded_params(asked.config))

    def report(self, number: int, report: dict[str, Any]) -> bool:
        trial, record = self._trials[number], self._log.record
        stops = self._scheduler.on_trial_result(None, trial, report) == TrialScheduler.STOP
        self._log.write("reported", trial=number, report=report)
        self._study.on_epoch(record, record.trials[number], report)
        if stops or report["finished"]:
            self._scheduler.on_trial_complete(None, trial, report)
            self._log.write("finished" if report["finished"] else "stopped", trial=number)
            self._study.on_end(record, record.trials[number])
        return stops


class _StudyWithSampler(JournaledStudy):
    """The study with another sampler than its own, to see what its own is worth."""

    fixed_sampler: BaseSampler | None = None

    def _seed_sampler(self, number: int) -> None:
        if self.fixed_sampler is None:
            super()._seed_sampler(number)
        else:
            self._study.sampler = self.fixed_sampler


def ray_asha(*, grace_period: int = 1) -> ASHAScheduler:
    """As Ray's documentation shows it, on Tune's own count of reports."""
    return ASHAScheduler(
        time_attr="training_iteration",
        metric=OBJECTIVE,
        mode="max",
        max_t=BASE.total_epochs,
        grace_period=grace_period,
        reduction_factor=ETA,
    )


def phase_aligned() -> PhaseAlignedASHA:
    """This project's, with its default grace of one phase-2 epoch."""
    rungs = Rungs(grace_epochs=1, reduction_factor=ETA, max_epochs=BASE.finetune_epochs)
    scheduler = PhaseAlignedASHA(StoppingRule(rungs))
    scheduler.set_search_properties(OBJECTIVE, "max")
    return scheduler


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A method under comparison.

    Attributes:
        make: a fresh method for a space and a seed.
        by_best_epoch: hands over the trial with the best epoch; otherwise that with the best last
            value, as Ray's `get_best_result` does.
    """

    name: str
    make: Callable[[Suggest, int], Method]
    by_best_epoch: bool


def _stock(suggest: Suggest, seed: int) -> Stock:
    return Stock(suggest, ray_asha(), seed=seed)


# "stock" is `OptunaSearch` + `ASHAScheduler` + `get_best_result`; "truth": the truthful study with
# stock's sampler; "clock": ASHA on phase 2; "ours" is truth + clock + joint TPE.
ARMS = (
    Arm(
        name="stock",
        make=_stock,
        by_best_epoch=False,
    ),
    Arm(
        name="stock, grace 3",
        make=lambda suggest, seed: Stock(
            suggest, ray_asha(grace_period=BASE.head_epochs + 1), seed=seed
        ),
        by_best_epoch=False,
    ),
    Arm(
        name="stock + best epoch",
        make=_stock,
        by_best_epoch=True,
    ),
    Arm(
        name="stock + truth",
        make=lambda suggest, seed: Truthful(
            suggest, ray_asha(), seed=seed, sampler=TPESampler(seed=seed)
        ),
        by_best_epoch=True,
    ),
    Arm(
        name="stock + clock",
        make=lambda suggest, seed: Stock(suggest, phase_aligned(), seed=seed),
        by_best_epoch=True,
    ),
    Arm(
        name="truth + clock",
        make=lambda suggest, seed: Truthful(
            suggest, phase_aligned(), seed=seed, sampler=TPESampler(seed=seed)
        ),
        by_best_epoch=True,
    ),
    Arm(
        name="ours",
        make=lambda suggest, seed: Truthful(suggest, phase_aligned(), seed=seed),
        by_best_epoch=True,
    ),
    Arm(
        name="ours, own settings first",
        make=lambda suggest, seed: Truthful(
            suggest, phase_aligned(), seed=seed, own_settings_first=True
        ),
        by_best_epoch=True,
    ),
    Arm(
        name="random + clock",
        make=lambda suggest, seed: Truthful(
            suggest, phase_aligned(), seed=seed, sampler=RandomSampler(seed=seed)
        ),
        by_best_epoch=True,
    ),
)
