"""Optuna's side of a search: asks the study for configurations and reports results to it.

Ray's OptunaSearch tells a trial that ASHA stopped as COMPLETE with a truncated value, steps by
`training_iteration` (which restarts with a trial), loses its place on a restart, trains an exact
duplicate again, and ends the run on a missing metric. This one tells PRUNED with the intermediate
values, steps by the trial's own epoch, finds its place in the study on disk, answers a duplicate
from the record, and tells what cannot be trained (out of memory, diverged) as infeasible, which TPE
keeps away from. It knows no Ray, so that a search can be replayed and simulated.
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from search.records.record import OBJECTIVE, STUDY_NAME, Listener, RunLog, RunRecord, TrialRecord
from spaces.warm_start import PriorResult
from trainables.config import FineTuneConfig
from trainables.errors import UserError

Suggest = Callable[[Any], FineTuneConfig]
# Proposals in a row that are all on record: the sampler has nothing new in a finite space.
MAX_REPEATS = 50
# A duplicate takes over the result of such a trial. A FAIL may not happen again: it is trained.
REUSABLE_STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
CONFIG = "config"  # Optuna's user attribute with the whole configuration


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A configuration to train, under the number that names its trial everywhere."""

    number: int
    config: FineTuneConfig
    params: dict[str, Any]  # what Optuna chose of it


def tpe_sampler(seed: int, trial_number: int, num_startup_trials: int) -> BaseSampler:
    """The sampler of one trial: its draws depend on the seed, the number and the study alone.

    A sampler a trial instead of one for all makes a resumed search go on as if it had never
    stopped, and lets a recorded search be asked again.
    """
    with warnings.catch_warnings():
        # `group` has been in Optuna since 2.8 and is still called experimental.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=(seed * 1_000_003 + trial_number) % 2**32,
            n_startup_trials=num_startup_trials,
            multivariate=True,
            group=True,  # conditional spaces: a joint model for each group of co-occurring settings
            constant_liar=True,  # trials that still run count as bad, so that parallel ones spread
        )


def study_storage(path: Path) -> JournalStorage:
    """Optuna's journal at `path`; optuna-dashboard opens the same file."""
    return JournalStorage(JournalFileBackend(str(path)))


def open_study(path: Path) -> optuna.Study:
    """The study on disk, to look at."""
    return optuna.load_study(storage=study_storage(path), study_name=STUDY_NAME)


def _open(storage: BaseStorage) -> optuna.Study:
    """The study of a storage; nothing is written where there is one."""
    if STUDY_NAME in optuna.get_all_study_names(storage):
        return optuna.load_study(storage=storage, study_name=STUDY_NAME)
    return optuna.create_study(storage=storage, study_name=STUDY_NAME, direction="maximize")


class JournaledStudy(Listener):
    """The study of one run. The journal is written first, the study after it.

    A study that a kill left behind the journal is brought up to it on construction.

    Args:
        suggest: draws a configuration from an Optuna trial.
        storage: of the study; RUNNING trials in it are asked again, first.
        seed: of the sampler.
        num_startup_trials: random configurations before TPE starts to model.
        first: points to ask first in a new study, by parameter name, in this order.
        log: the run's journal; its prior results open a new study.

    Raises:
        UserError: when study and journal are not of the same run, or one was cut.
    """

    def __init__(
        self,
        suggest: Suggest,
        *,
        storage: BaseStorage,
        seed: int,
        num_startup_trials: int,
        first: Iterable[dict[str, Any]] = (),
        log: RunLog | None = None,
    ) -> None:
        self._suggest, self._seed, self._num_startup = suggest, seed, num_startup_trials
        self._log = log or RunLog()
        self._live: dict[int, Trial] = {}  # trials of the study that run
        self._waiting: dict[int, list[Trial]] = defaultdict(list)  # duplicates of a running trial
        self._study = _open(storage)
        prior = [PriorResult.from_dict(point) for point in self._log.record.prior_results]
        self._open_with(prior, [*self._log.record.asked_first, *first])
        self._catch_up()
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        self._interrupted = [trial.number for trial in running]

    def ask(self) -> Asked | None:
        """The next configuration to train: of a trial that was cut short if there is one.

        None when the sampler proposes nothing that is not on record.
        """
        for _ in range(MAX_REPEATS):
            trial = self._next()
            config = self._suggest(trial)
            trial.set_user_attr(CONFIG, config.to_dict())
            original = self._earlier_equal(trial.number, config)
            if original is None:
                return self._ask_for(trial, config)
            if original.state == TrialState.RUNNING:
                self._waiting[original.number].append(trial)
            else:
                self._answer(trial, original)
        return None

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        self._live[trial.number].report(report[OBJECTIVE], report["epoch"])

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        self._tell(trial)
        for duplicate in self._waiting.pop(trial.number, ()):
            self._answer(duplicate, self._trials()[trial.number])

    def _open_with(self, prior: list[PriorResult], first: list[dict[str, Any]]) -> None:
        """Add prior results and enqueue first points; goes on where a kill cut it short."""
        done = len(self._trials())
        for point in prior[done:]:
            self._study.add_trial(point.as_trial(self._suggest, {CONFIG: point.config}))
        for params in first[max(done - len(prior), 0) :]:
            self._study.enqueue_trial(params)

    def _catch_up(self) -> None:
        """Tell the study what the journal has and a kill kept from it."""
        record, trials = self._log.record, self._trials()
        missing = [n for n in record.asked if n >= len(trials)]
        ahead = [
            trial.number
            for trial in trials[len(record.prior_results) :]
            if trial.state.is_finished()
            and trial.number not in record.answered
            and not (trial.number in record.trials and record.trials[trial.number].ended)
        ]
        if missing or ahead:
            shorter, number = ("study.log", missing[0]) if missing else ("journal.jsonl", ahead[0])
            raise UserError(
                f"{shorter} ends before the other's trial {number}; allowed: both files as the "
                "search wrote them; restore it from a copy, or start a new run"
            )
        for trial in record.trials.values():
            if trials[trial.number].state == TrialState.RUNNING:
                live = self._reattach(trial.number)
                for report in trial.reports:
                    if report["epoch"] not in trials[trial.number].intermediate_values:
                        live.report(report[OBJECTIVE], report["epoch"])
                if trial.ended:
                    self._tell(trial)
        for number, original in record.answered.items():
            if trials[number].state == TrialState.RUNNING:
                self._copy(self._reattach(number), self._trials()[original])

    def _next(self) -> Trial:
        if self._interrupted:
            return self._reattach(self._interrupted.pop(0))
        self._seed_sampler(sum(t.state != TrialState.WAITING for t in self._trials()))
        return self._study.ask()

    def _ask_for(self, trial: Trial, config: FineTuneConfig) -> Asked:
        self._live[trial.number] = trial
        if trial.number not in self._log.record.asked:
            self._log.write(
                "asked", trial=trial.number, config=config.to_dict(), params=trial.params
            )
        return Asked(number=trial.number, config=config, params=dict(trial.params))

    def _earlier_equal(self, number: int, config: FineTuneConfig) -> FrozenTrial | None:
        """The first trial of the same configuration that has, or will have, a result."""
        asked = config.to_dict()
        for trial in self._trials()[:number]:
            if trial.state in REUSABLE_STATES and trial.user_attrs.get(CONFIG) == asked:
                return trial
        return None

    def _answer(self, trial: Trial, original: FrozenTrial) -> None:
        self._log.write("answered", trial=trial.number, of=original.number)
        self._copy(trial, original)

    def _copy(self, trial: Trial, original: FrozenTrial) -> None:
        """Give a duplicate the intermediate values, constraints and state of the original."""
        for epoch, value in original.intermediate_values.items():
            trial.report(value, epoch)
        for name, value in original.constraints.items():
            trial.set_constraint(name, value)
        values = original.values if original.state == TrialState.COMPLETE else None
        self._study.tell(trial, values, state=original.state)

    def _tell(self, trial: TrialRecord) -> None:
        """The end: COMPLETE with the best epoch's value, PRUNED when cut short, else FAIL."""
        live = self._live.pop(trial.number)
        infeasible = "diverged" if trial.status == "diverged" else trial.kind
        if trial.status == "finished":
            assert trial.best is not None
            self._study.tell(live, trial.best[OBJECTIVE])
        elif trial.status == "stopped":
            self._study.tell(live, state=TrialState.PRUNED)
        elif infeasible in ("diverged", "out_of_memory"):
            live.set_constraint(infeasible, 1.0)  # above 0: violated
            self._study.tell(live, state=TrialState.PRUNED)
        else:
            live.set_user_attr("cause", trial.cause)
            self._study.tell(live, state=TrialState.FAIL)

    def _reattach(self, number: int) -> Trial:
        self._seed_sampler(number)
        self._live[number] = Trial(self._study, self._trials()[number]._trial_id)
        return self._live[number]

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _seed_sampler(self, number: int) -> None:
        self._study.sampler = tpe_sampler(self._seed, number, self._num_startup)
