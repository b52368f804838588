"""Optuna proposes: a Ray searcher that tells Optuna the truth and keeps its study on disk.

Ray's OptunaSearch tells a trial that ASHA stopped as COMPLETE with a truncated value, steps by
`training_iteration` (which restarts with a trial), loses its place on a restart, and ends the run
on a missing metric. This one tells PRUNED with the intermediate values, steps by the trial's own
epoch, and finds its place in the study on disk.
"""

import math
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState
from ray.tune.search.optuna import OptunaSearch

from search.names import OBJECTIVE, STUDY_NAME
from trainables.config import FineTuneConfig

ASKED = tuple(state for state in TrialState if state != TrialState.WAITING)
Suggest = Callable[[Trial], FineTuneConfig]


def tpe_sampler(seed: int, trial_number: int, num_startup_trials: int) -> BaseSampler:
    """The sampler of one trial: its draws depend on the seed, the number and the study alone.

    A sampler a trial instead of one for all makes a resumed search go on as if it had never
    stopped, and lets a recorded search be asked again.
    """
    with warnings.catch_warnings():
        # `group` has been in Optuna since 2.8 and is still called experimental.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return _tpe(seed, trial_number, num_startup_trials)


def _tpe(seed: int, trial_number: int, num_startup_trials: int) -> TPESampler:
    return TPESampler(
        seed=(seed * 1_000_003 + trial_number) % 2**32,
        n_startup_trials=num_startup_trials,
        multivariate=True,
        group=True,  # conditional spaces: one joint model for each group of settings that co-occur
        constant_liar=True,  # trials that still run count as bad, so that parallel ones spread
    )


def study_storage(path: Path) -> JournalStorage:
    """Optuna's journal at `path`; optuna-dashboard opens the same file."""
    return JournalStorage(JournalFileBackend(str(path)))


def open_study(path: Path) -> optuna.Study:
    """The study on disk (Optuna's journal), made if there is none."""
    return optuna.create_study(
        storage=study_storage(path),
        study_name=STUDY_NAME,
        direction="maximize",
        load_if_exists=True,
    )


class TruthfulOptunaSearch(OptunaSearch):
    """Asks Optuna for configurations and tells it what became of them.

    Args:
        suggest: draws a configuration from an Optuna trial.
        study_path: file of the study; RUNNING trials in it are proposed again, first.
        seed: of the sampler.
        num_startup_trials: random configurations before TPE starts to model.
        first: points to ask first in a new study, by parameter name, in this order.
    """

    def __init__(
        self,
        suggest: Suggest,
        *,
        study_path: Path,
        seed: int,
        num_startup_trials: int,
        first: Iterable[dict[str, Any]] = (),
    ) -> None:
        self._suggest_config = suggest
        self._study_path = study_path
        self._sampler_seed = seed
        self._num_startup_trials = num_startup_trials
        super().__init__(
            space=suggest,
            metric=OBJECTIVE,
            mode="max",
            study_name=STUDY_NAME,
            storage=study_storage(study_path),
        )
        self._told_epochs: dict[str, set[int]] = {}
        running = self._ot_study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        self._interrupted = [trial.number for trial in running]
        if not self._ot_study.get_trials(deepcopy=False):
            for point in first:
                self._ot_study.enqueue_trial(point)

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """The next configuration: of a trial that was cut short if there is one, else a new one."""
        if self._interrupted:
            trial = self._reattach(self._interrupted.pop(0))
        else:
            asked = [t for t in self._ot_study.get_trials(deepcopy=False) if t.state in ASKED]
            self._seed_sampler(len(asked))
            trial = self._ot_study.ask()
        self._told_epochs[trial_id] = set(self._frozen(trial.number).intermediate_values)
        config = self._suggest_config(trial)
        self._ot_trials[trial_id] = trial
        return {"number": trial.number, "config": config.to_dict(), "params": dict(trial.params)}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Note an epoch's value; a value that is missing or no number is not told."""
        value, epoch = _number(result.get(OBJECTIVE)), result["epoch"]
        if trial_id in self._completed_trials or value is None:
            return
        if epoch not in self._told_epochs[trial_id]:  # a resumed trial tells its epochs again
            self._told_epochs[trial_id].add(epoch)
            self._ot_trials[trial_id].report(value, epoch)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the end: COMPLETE with the best epoch's value, PRUNED when cut short, else FAIL."""
        if trial_id in self._completed_trials or trial_id not in self._ot_trials:
            return
        if result and "epoch" in result:  # the report that ASHA stops at arrives only here
            self.on_trial_result(trial_id, result)
        self._completed_trials.add(trial_id)
        state = end_state(result or {}, error=error)
        value = self.best_value(trial_id) if state == TrialState.COMPLETE else None
        self._ot_study.tell(self._ot_trials[trial_id], value, state=state, skip_if_finished=True)

    def best_value(self, trial_id: str) -> float:
        """The best epoch's value, earlier sessions' epochs included."""
        number = self._ot_trials[trial_id].number
        return max(self._frozen(number).intermediate_values.values())

    def save(self, checkpoint_path: str) -> None:
        """Nothing to pickle: the study is on disk already."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to unpickle: a new searcher reads the study."""

    def _reattach(self, number: int) -> Trial:
        self._seed_sampler(number)
        return Trial(self._ot_study, self._frozen(number)._trial_id)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._ot_study.get_trials(deepcopy=False)[number]

    def _seed_sampler(self, number: int) -> None:
        self._ot_study.sampler = tpe_sampler(self._sampler_seed, number, self._num_startup_trials)


def end_state(last_result: dict[str, Any], *, error: bool) -> TrialState:
    """How a trial that ended is told: by its last report, and whether it raised."""
    if error or last_result.get("diverged") or _number(last_result.get(OBJECTIVE)) is None:
        return TrialState.FAIL
    return TrialState.COMPLETE if last_result.get("finished") else TrialState.PRUNED


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None
