"""A recorded search played again: the same questions to a new study and a new ASHA."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from optuna.storages import InMemoryStorage

from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.settings.settings import Settings
from search.tuning.scheduler import Judge
from search.tuning.study import TruthfulStudy
from search.tuning.tuner import make_judge, startup_trials, suggester
from spaces.registry import load_space
from spaces.warm_start import first_asked
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.storage import journal

ENDS = ("finished", "stopped", "failed", "diverged")


@dataclass(kw_only=True)
class Played:
    """What came of it."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, name: str, recorded: Any, again: Any) -> None:
        self.compared[what] += 1
        if recorded != again:
            self.differences.append(f"{name}: recorded {recorded}, again {again}")


def play_again(folder: RunFolder) -> Played:
    """Ask and judge as the journal tells, in its order, and compare.

    Raises:
        UserError: the folder is no run, or its search has asked for no trial.
    """
    experiment = folder.read_experiment()
    # Nothing is trained, so the weights may be gone.
    settings = Settings(**{**experiment["settings"], "weights": "none"})
    base = FineTuneConfig.from_dict(experiment["base_config"])
    events = journal.read(folder.journal)
    recorded = RunRecord.of(events)
    if not recorded.asked:
        raise UserError(
            f"{folder.journal} has asked for no trial; allowed: the journal of a search; "
            "let the search begin with `python -m search.run`"
        )
    log, played, judge = RunLog(), Played(), make_judge(settings)
    for event in events:
        if event["event"] == "warm_started":
            log.record.apply(event)
    space = load_space(settings.space)
    study = TruthfulStudy(
        suggester(space, base),
        storage=InMemoryStorage(),
        seed=settings.seed,
        num_startup_trials=startup_trials(settings.num_trials),
        first=first_asked(space, base),
        log=log,
    )
    for event in events:
        if event["event"] == "asked":
            if not _is_asked_again(study, event, played):
                return played  # from here on the study is another one
        elif event["event"] != "answered":
            log.record.apply(event)
            _take_in(event, log.record, judge, study, played)
    known = -1
    while known < len(log.record.answered) < len(recorded.answered):
        known = len(log.record.answered)
        study.ask()  # a last question, which had nothing new for an answer
    for number, original in recorded.answered.items():
        again = log.record.answered.get(number)
        played.compare("answered", f"trial {number} was answered by trial", original, again)
    return played


def _is_asked_again(study: TruthfulStudy, event: dict[str, Any], played: Played) -> bool:
    config = FineTuneConfig.from_dict(event["config"])
    asked = study.ask()
    again = None if asked is None else (asked.number, asked.config)
    number = event["trial"]
    played.compare("asked", f"trial {number} was asked", (number, config), again)
    return again == (number, config)


def _take_in(
    event: dict[str, Any], record: RunRecord, judge: Judge, study: TruthfulStudy, played: Played
) -> None:
    """Tell a recorded event to ASHA and to the study; compare what ASHA makes of it."""
    kind, number = event["event"], event.get("trial")
    if kind == "reported":
        judge.stops(event["trial"], event["report"])
        study.on_epoch(record, record.trials[event["trial"]], event["report"])
    elif kind == "spared":
        again = judge.spared.get(event["trial"])
        played.compare("spared", f"trial {number} was spared at rung", event["rung"], again)
    elif kind in ENDS:
        rung = judge.stopped.get(event["trial"])
        if kind == "stopped" or rung is not None:
            what = f"trial {number} was stopped at rung"
            played.compare("stopped", what, event.get("rung"), rung)
        study.on_end(record, record.trials[event["trial"]])
