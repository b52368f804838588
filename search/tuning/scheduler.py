"""ASHA: early stopping of trials, on the clock of phase-2 epochs.

Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", in Ray's stopping form.
Rungs lie at grace x eta^k phase-2 epochs, so no trial is judged while its backbone is frozen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket

from search.records.record import CLOCK, OBJECTIVE
from search.settings.settings import Settings
from search.tuning.rungs import rung_positions


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a report led to: whether the trial stops, and the rung that decided (None: no rung)."""

    stop: bool
    rung: int | None = None


class Rungs:
    """The values recorded at each rung and the decisions they lead to; a pure function of reports.

    Args:
        grace_epochs: phase-2 epochs before the first rung.
        reduction_factor: eta; about 1 in eta goes on past a rung, and rungs are eta times apart.
        max_epochs: phase-2 epochs of a whole trial.

    Attributes:
        positions: of the rungs in phase-2 epochs, first to last.
    """

    def __init__(self, *, grace_epochs: int, reduction_factor: float, max_epochs: int) -> None:
        self.positions = rung_positions(
            grace_epochs=grace_epochs, reduction_factor=reduction_factor, max_epochs=max_epochs
        )
        # stop_last_trials=False: Ray stops at t >= max_t otherwise, before the last checkpoint.
        self._bracket = _Bracket(
            grace_epochs, max(max_epochs, grace_epochs), reduction_factor, 0, False
        )
        self._bracket._rungs = [(position, {}) for position in reversed(self.positions)]

    @classmethod
    def of(cls, settings: Settings) -> "Rungs":
        """The rungs of a run, empty."""
        return cls(
            grace_epochs=settings.grace_epochs,
            reduction_factor=settings.reduction_factor,
            max_epochs=settings.finetune_epochs,
        )

    def decide(self, number: int, report: dict[str, Any]) -> Decision:
        """Record trial `number`'s report and say whether it goes on.

        A report from phase 1 has no clock and meets no rung. A trial's last report never stops
        it, and a diverged trial ends by itself.
        """
        epochs, value = report.get(CLOCK), report.get(OBJECTIVE)
        if epochs is None or value is None or report.get("diverged"):
            return Decision(stop=False)
        recorded = {m: set(values) for m, values in self._bracket._rungs}
        action = self._bracket.on_result(_Numbered(str(number)), epochs, value)
        met = [m for m, values in self._bracket._rungs if set(values) != recorded[m]]
        stop = action == TrialScheduler.STOP and not report.get("finished")
        return Decision(stop=stop, rung=int(met[0]) if met else None)


class StoppingRule:
    """Stops trials below the cutoff of a rung, apart from a random share that it lets run on.

    The spared ones are a random sample of all below a cutoff: their results say what early stopping
    costs (`analysis.trials.early_stopping`). Their later reports enter no rung, so the decisions
    about all others are those of plain ASHA.

    Args:
        rungs: where reports are judged.
        spared_share: the probability of being let run on; drawn by seed and trial number alone.
        seed: of that draw.

    Attributes:
        stopped, spared: trial number -> the rung at whose cutoff it was.
    """

    name = "asha"  # in the journal, as `by` of a stopped trial

    def __init__(self, rungs: Rungs, *, spared_share: float = 0.0, seed: int = 0) -> None:
        self._rungs, self._spared_share, self._seed = rungs, spared_share, seed
        self.stopped: dict[int, int] = {}
        self.spared: dict[int, int] = {}

    def stops(self, number: int, report: dict[str, Any]) -> bool:
        """Take in trial `number`'s report; whether the trial ends here.

        Each report is decided once: a second call with it records nothing and returns the same.
        """
        if number in self.spared:
            return False
        if number not in self.stopped:
            decision = self._rungs.decide(number, report)
            if decision.stop:
                assert decision.rung is not None
                (self.spared if self._draw(number) else self.stopped)[number] = decision.rung
        return number in self.stopped

    def _draw(self, number: int) -> bool:
        # The 7 keeps this stream apart from the other uses of (seed, number).
        draw = np.random.default_rng([7, self._seed, number]).random()
        return bool(draw < self._spared_share)


class PhaseAlignedASHA(ASHAScheduler):
    """Ray's ASHA on the phase-2 clock, its rungs rebuilt from the reports of an earlier session.

    Ray keeps no rungs across a restart. Decisions are a function of the reports in their order, so
    replaying the journal's reports restores the rungs.

    Args:
        rule: decides; the recorder writes its decisions down.
        earlier_reports: (trial number, report) of the sessions before this one, in order.
    """

    def __init__(
        self, rule: StoppingRule, *, earlier_reports: Iterable[tuple[int, dict[str, Any]]] = ()
    ) -> None:
        super().__init__(time_attr=CLOCK)
        self._rule = rule
        for number, report in earlier_reports:
            rule.stops(number, report)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stops = self._rule.stops(trial.config["number"], result)
        return TrialScheduler.STOP if stops else TrialScheduler.CONTINUE

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        self._trial_info.pop(trial.trial_id, None)  # Tune does not ask about a last report


@dataclass(frozen=True)
class _Numbered:
    """What Ray's bracket wants of a trial: an identity, here one that survives a restart."""

    trial_id: str
