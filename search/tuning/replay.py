"""A recorded search repeated: the same calls, in their order, to a new study and a new ASHA."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from optuna.storages import InMemoryStorage

from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.settings.settings import Settings
from search.tuning.scheduler import StoppingRule
from search.tuning.study import JournaledStudy
from search.tuning.tuner import startup_trials, stopping_rule, suggester
from spaces.registry import load_space
from spaces.warm_start import first_asked
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.storage import journal

ENDS = ("finished", "stopped", "failed", "diverged")


@dataclass(kw_only=True)
class ReplayResult:
    """What was compared, by kind of decision, and each decision that came out otherwise."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, name: str, recorded: Any, again: Any) -> None:
        self.compared[what] += 1
        if recorded != again:
            self.differences.append(f"{name}: recorded {recorded}, again {again}")


def replay_search(folder: RunFolder) -> ReplayResult:
    """Ask the study and apply the stopping rule in the order of the journal, and compare.

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
    log, result, rule = RunLog(), ReplayResult(), stopping_rule(settings)
    for event in events:
        if event["event"] == "warm_started":
            log.record.apply(event)
    space = load_space(settings.space)
    study = JournaledStudy(
        suggester(space, base),
        storage=InMemoryStorage(),
        seed=settings.seed,
        num_startup_trials=startup_trials(settings.num_trials),
        first=first_asked(space, base),
        log=log,
    )
    for event in events:
        if event["event"] == "asked":
            if not _is_asked_again(study, event, result):
                return result  # from here on the study is another one
        elif event["event"] != "answered":
            log.record.apply(event)
            _take_in(event, log.record, rule, study, result)
    num_before = -1
    while num_before < len(log.record.answered) < len(recorded.answered):
        num_before = len(log.record.answered)
        study.ask()  # a last question, which had nothing new for an answer
    for number, original in recorded.answered.items():
        again = log.record.answered.get(number)
        result.compare("answered", f"trial {number} was answered by trial", original, again)
    return result


def _is_asked_again(study: JournaledStudy, event: dict[str, Any], result: ReplayResult) -> bool:
    config = FineTuneConfig.from_dict(event["config"])
    asked = study.ask()
    again = None if asked is None else (asked.number, asked.config)
    number = event["trial"]
    result.compare("asked", f"trial {number} was asked", (number, config), again)
    return again == (number, config)


def _take_in(
    event: dict[str, Any],
    record: RunRecord,
    rule: StoppingRule,
    study: JournaledStudy,
    result: ReplayResult,
) -> None:
    """Give a recorded event to the stopping rule and to the study; compare the rule's decision."""
    kind, number = event["event"], event.get("trial")
    if kind == "reported":
        rule.stops(event["trial"], event["report"])
        study.on_epoch(record, record.trials[event["trial"]], event["report"])
    elif kind == "spared":
        again = rule.spared.get(event["trial"])
        result.compare("spared", f"trial {number} was spared at rung", event["rung"], again)
    elif kind in ENDS:
        rung = rule.stopped.get(event["trial"])
        if kind == "stopped" or rung is not None:
            what = f"trial {number} was stopped at rung"
            result.compare("stopped", what, event.get("rung"), rung)
        study.on_end(record, record.trials[event["trial"]])
