"""ASHA stops the weak, on the clock of phase 2.

Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", in Ray's stopping form.
Rungs lie at grace x eta^k phase-2 epochs, so no trial is judged while its backbone is frozen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket

from search.names import CLOCK, OBJECTIVE


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
    """

    def __init__(self, *, grace_epochs: int, reduction_factor: float, max_epochs: int) -> None:
        # stop_last_trials=False: Ray stops at t >= max_t otherwise, before the last checkpoint.
        self._bracket = _Bracket(
            grace_epochs, max(max_epochs, grace_epochs), reduction_factor, 0, False
        )

    @property
    def milestones(self) -> list[float]:
        """The rungs' positions in phase-2 epochs, first to last."""
        return [milestone for milestone, _ in reversed(self._bracket._rungs)]

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


class PhaseAlignedASHA(ASHAScheduler):
    """Ray's ASHA on the phase-2 clock, its rungs rebuilt from the reports of an earlier session.

    Ray keeps no rungs across a restart. Decisions are a function of the reports in their order, so
    the journal's reports, played once more, bring the rungs back.

    Args:
        rungs: where reports are judged.
        earlier_reports: (trial number, report) of the sessions before this one, in order.
    """

    def __init__(
        self, rungs: Rungs, *, earlier_reports: Iterable[tuple[int, dict[str, Any]]] = ()
    ) -> None:
        super().__init__(time_attr=CLOCK)
        self.rungs = rungs
        self.stopped: dict[int, int] = {}  # trial number -> the rung that stopped it
        for number, report in earlier_reports:
            self._judge(number, report)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        return self._judge(trial.config["number"], result)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        self._trial_info.pop(trial.trial_id, None)  # its last report was judged when it came

    def _judge(self, number: int, report: dict[str, Any]) -> str:
        if number in self.stopped:
            return TrialScheduler.STOP
        decision = self.rungs.decide(number, report)
        if not decision.stop:
            return TrialScheduler.CONTINUE
        assert decision.rung is not None
        self.stopped[number] = decision.rung
        return TrialScheduler.STOP


@dataclass(frozen=True)
class _Numbered:
    """What Ray's bracket wants of a trial: an identity, here one that survives a restart."""

    trial_id: str
