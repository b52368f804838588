"""The last lines of a search: the best trials, and where everything is."""

from collections.abc import Iterator, Sequence

from search.monitoring.lines import short
from search.records.folder import RunFolder
from search.records.record import OBJECTIVE, RunRecord, TrialRecord

SHOWN_TRIALS = 5
CELL = 10  # characters of a value; with five of them a line is within 80 columns


def print_summary(record: RunRecord, folder: RunFolder) -> None:
    """A table of the best trials and the next commands to type."""
    counts = {
        status: sum(trial.status == status for trial in record.trials.values())
        for status in ("finished", "stopped", "failed", "diverged", "running")
    }
    counted = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    print(f"\n{len(record.trials)} trials: {counted}")
    if record.answered:
        print(f"             {len(record.answered)} duplicates were answered from the record")
    tried = [trial for trial in record.trials.values() if trial.best]
    ranked = sorted(tried, key=lambda t: -t.best[OBJECTIVE])[:SHOWN_TRIALS]  # type: ignore[index]
    if ranked:
        print()
    for line in best_trials(ranked):
        print(line)
    where = folder.shown(folder.root)
    print(f"\nrun folder   {where}")
    if counts["running"]:
        print(f"go on        {resume_command(folder)}")
    if not ranked:
        return
    print(f"winner       {where}/best.json")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    print(f"study        .venv/bin/optuna-dashboard {where}/study.log")
    if counts["finished"]:
        print(f"confirm      .venv/bin/python -m search.confirm {where}")
    print(f"export       .venv/bin/python -m search.export {where}")
    print(f"report       .venv/bin/python -m analysis.report {where}")


def print_arms_summary(record: RunRecord, folder: RunFolder) -> None:
    """The last lines of `--around RUN`: where everything is, and the command that decides."""
    trained = [trial.status for trial in record.trials.values()]
    where = folder.shown(folder.root)
    print(f"\n{len(trained)} trainings: {trained.count('finished')} finished")
    print(f"run folder   {where}")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    print(f"verdicts     .venv/bin/python -m analysis.compare {where}")


def resume_command(folder: RunFolder) -> str:
    """What goes on with a run."""
    storage = folder.shown(folder.root).rpartition("/")[0] or "."
    run = f"--storage {storage} --name {folder.root.name}"
    return f".venv/bin/python -m search.run --resume {run}"


def best_trials(ranked: Sequence[TrialRecord]) -> Iterator[str]:
    """A column a trial, the best one first: what it reached, and the settings that differ."""
    best = [trial.best or {} for trial in ranked]
    rows: dict[str, list[str]] = {
        "best trials": [f"trial {trial.number}" for trial in ranked],
        "macro-F1": [f"{report[OBJECTIVE]:.3f}" for report in best],
        "accuracy": [f"{report['val_accuracy']:.3f}" for report in best],
        "epoch": [
            f"{report['epoch']} of {len(trial.reports)}"
            for trial, report in zip(ranked, best, strict=True)
        ],
        "status": [trial.status for trial in ranked],
    }
    configs = [trial.config for trial in ranked]
    for name in configs[0] if configs else ():
        shown = [short(config[name]) for config in configs]
        if len(set(shown)) > 1:
            rows[name] = shown
    width = max(map(len, rows), default=0)
    for name, values in rows.items():
        yield f"{name:<{width}}" + "".join(f" {_cell(value):>{CELL}}" for value in values)


def _cell(value: str) -> str:
    return value if len(value) <= CELL else f"{value[: CELL - 3]}..."
