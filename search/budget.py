"""How much of `--max-hours` the search may take, so that confirm and report still fit in it."""

from search.records.record import RunRecord

START_SECONDS = 20.0  # from a trial's start to its first epoch (docs/performance.md)
REPORT_SECONDS = 120.0  # of the report on the winner
LARGEST_RESERVE = 0.5  # share of the hours: a search that never ran has nothing to confirm


def search_seconds(
    record: RunRecord, *, max_hours: float, reserved_trials: int, concurrent: int
) -> float:
    """Seconds of `max_hours` that are the search's.

    The rest is kept for the trials of `search.confirm`, each as long as a whole trial took so far,
    and for the report. Before the first trial has finished nothing is known and nothing kept.
    """
    total = max_hours * 3600
    whole = [
        START_SECONDS + sum(report["epoch_seconds"] for report in trial.reports)
        for trial in record.trials.values()
        if trial.status == "finished"
    ]
    if not whole:
        return total
    return without_reserve(
        total, sum(whole) / len(whole), reserved_trials=reserved_trials, concurrent=concurrent
    )


def without_reserve(
    total_seconds: float, trial_seconds: float, *, reserved_trials: int, concurrent: int
) -> float:
    """What is left of a time when whole trials of that length, and a report, are to follow."""
    if not reserved_trials:
        return total_seconds
    rounds = -(-reserved_trials // concurrent)  # rounded up: the last round is as long as the rest
    reserve = rounds * trial_seconds + REPORT_SECONDS
    return total_seconds - min(reserve, LARGEST_RESERVE * total_seconds)
