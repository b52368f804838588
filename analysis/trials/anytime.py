"""What the search had found by when, and what ASHA decided and saved at each rung."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.statistics.claims import Assertion, Claim
from analysis.statistics.intervals import Estimate
from analysis.trials.compared_trials import CLOCK, VALUE
from analysis.trials.early_stopping import rung_epochs

CLOSE = 0.01  # of macro-F1; from there on the rest of the search gained less
WORTHWHILE = 0.5  # share of the epochs that early stopping should spare
CLAIM = Assertion(
    claim=f"ASHA saves more than {WORTHWHILE:.0%} of the epochs of training every trial to its end",
    rule=f"CONFIRMED above {WORTHWHILE:.0%}, REFUTED below; counted, so without an interval",
    control="the same trials, each with all epochs of its configuration",
    section="anytime",
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One epoch of one trial, as it arrived.

    Attributes:
        seconds: of searching until then; the time between two sessions does not count.
        trial: that reported.
        report: its figures.
    """

    seconds: float
    trial: int
    report: Mapping[str, Any]


def anytime_section(
    events: Iterable[Mapping[str, Any]], settings: Mapping[str, Any], *, num_val_images: int
) -> dict[str, Any]:
    """The best value by time and by epochs, and ASHA's decisions.

    Args:
        events: the run's journal, oldest first.
        settings: of the run; without `grace_epochs` no rung is known.
        num_val_images: behind each value.
    """
    events = list(events)
    reports = list(reports_of(events))
    steps = best_so_far(reports)
    saved = saved_epochs(events)
    total = len(reports) + sum(saved.values())
    return {
        "num_trials": len({reported.trial for reported in reports}),
        "num_epochs": len(reports),
        "seconds": reports[-1].seconds if reports else 0.0,
        "steps": steps,
        "close": CLOSE,
        "first_close": first_close(steps),
        "rungs": rungs(events, settings) if "grace_epochs" in settings else [],
        "num_stopped": len(saved),
        "saved_epochs": sum(saved.values()),
        "saved_share": sum(saved.values()) / total if total else None,
        "claims": [_claim(saved, total, num_val_images).to_dict()],
    }


def reports_of(events: Iterable[Mapping[str, Any]]) -> Iterator[Report]:
    """Every reported epoch with the seconds of searching before it.

    A session counts up to its last event, so one that was killed counts up to its last report.
    """
    earlier, start, now = 0.0, None, None
    for event in events:
        time = datetime.fromisoformat(event["time"]) if "time" in event else None
        if event["event"] == "session_started":
            if start is not None and now is not None:
                earlier += (now - start).total_seconds()
            start = now = time
        elif event["event"] in ("reported", "session_ended") and time is not None:
            now = time
            start = start or time
        if event["event"] == "reported":
            passed = (now - start).total_seconds() if now and start else 0.0
            yield Report(seconds=earlier + passed, trial=event["trial"], report=event["report"])


def best_so_far(reports: Iterable[Report]) -> list[dict[str, Any]]:
    """Each improvement: when it came, after how many epochs of all trials, and whose it was."""
    steps: list[dict[str, Any]] = []
    for count, reported in enumerate(reports, start=1):
        value = reported.report.get(VALUE)
        if value is not None and (not steps or value > steps[-1]["value"]):
            steps.append(
                {
                    "seconds": reported.seconds,
                    "epochs": count,
                    "value": float(value),
                    "trial": reported.trial,
                    "phase": reported.report.get("phase"),
                }
            )
    return steps


def first_close(steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first improvement that came close to the best value of all; None without any value."""
    return next((step for step in steps if step["value"] >= steps[-1]["value"] - CLOSE), None)


def saved_epochs(events: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Trial that ASHA stopped -> the epochs of its configuration that it was not trained for."""
    planned: dict[int, int] = {}
    stopped: dict[int, int] = {}
    for event in events:
        if event["event"] == "started":
            config = event["config"]
            planned[event["trial"]] = (
                config.get("last_epoch") or config["head_epochs"] + config["finetune_epochs"]
            )
        elif event["event"] == "stopped" and event.get("by") == "asha":
            stopped[event["trial"]] = event["epoch"]
    return {trial: planned[trial] - epoch for trial, epoch in stopped.items()}


def rungs(events: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each rung: trials judged there, stopped, spared and let on, and the epochs it saved.

    A spared trial is judged no more, nor is one that diverged. A trial that has trained all its
    epochs is recorded at the last rung, if one lies there, and ends whatever its rank.
    """
    events = list(events)
    places = rung_epochs(settings)
    judged: Counter[int] = Counter()
    condemned: dict[str, Counter[int]] = {"stopped": Counter(), "spared": Counter()}
    saved: Counter[int] = Counter()
    epochs_of = saved_epochs(events)
    spared: set[int] = set()
    last: dict[int, int] = {}  # trial -> the rung that it met last
    for event in events:
        match event["event"]:
            case "reported" if event["trial"] not in spared:
                place = _rung_reached(event["report"], places)
                if place is not None and last.get(event["trial"]) != place:
                    judged[place] += 1
                    last[event["trial"]] = place
            case "spared":
                spared.add(event["trial"])
                condemned["spared"][last[event["trial"]]] += 1
            case "stopped" if event.get("by") == "asha":
                condemned["stopped"][last[event["trial"]]] += 1
                saved[last[event["trial"]]] += epochs_of[event["trial"]]
    return [
        {
            "epoch": place,
            "num_judged": judged[place],
            "num_stopped": condemned["stopped"][place],
            "num_spared": condemned["spared"][place],
            "num_let_on": judged[place] - condemned["stopped"][place] - condemned["spared"][place],
            "saved_epochs": saved[place],
        }
        for place in places
    ]


def _rung_reached(report: Mapping[str, Any], places: Iterable[int]) -> int | None:
    """The highest rung at or below a report's phase-2 epoch, if ASHA judges such a report."""
    epoch = report.get(CLOCK)
    if epoch is None or report.get(VALUE) is None or report.get("diverged"):
        return None
    return max((place for place in places if place <= epoch), default=None)


def _claim(saved: Mapping[int, int], total: int, num_val_images: int) -> Claim:
    """That early stopping saved much of the work."""
    if not saved:
        return CLAIM.not_tested("ASHA stopped no trial")
    share = sum(saved.values()) / total
    return CLAIM.tested(
        "CONFIRMED" if share > WORTHWHILE else "REFUTED",
        Estimate(value=share, lower=share, upper=share),
        unit="share of the epochs",
        num_images=num_val_images,
        sentence=f"ASHA stopped {len(saved)} trials and saved {sum(saved.values()):,} of "
        f"{total:,} epochs ({share:.0%}).",
    )
