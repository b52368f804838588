"""The last lines of a search: the best trials, and where everything is."""

from pathlib import Path
from typing import Any

from search.names import OBJECTIVE
from search.progress import describe_end
from search.record import RunRecord
from search.run_folder import RunFolder

SHOWN_TRIALS = 5


def print_summary(record: RunRecord, folder: RunFolder) -> None:
    """A table of the best trials and the next commands to type."""
    trials = [trial for trial in record.trials.values() if trial.reports]
    counts = {
        status: sum(trial.status == status for trial in record.trials.values())
        for status in ("finished", "stopped", "failed", "diverged", "running")
    }
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    print(f"\n{len(record.trials)} trials: {told}")
    if record.answered:
        print(f"             {len(record.answered)} duplicates were answered from the record")
    ranked = sorted(trials, key=lambda t: -t.best[OBJECTIVE])[:SHOWN_TRIALS]  # type: ignore[index]
    for trial in ranked:
        print(f"  trial {trial.number:>3}  {describe_end(trial)}")
        print(f"             {_differing(trial.config, [t.config for t in trials])}")
    where = shown_path(folder.root)
    print(f"\nrun folder   {where}")
    if counts["running"]:
        print(f"go on        {resume_command(folder)}")
    if not ranked:
        return
    print(f"winner       {where}/best.json")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    if counts["finished"]:
        print(f"confirm      .venv/bin/python -m search.confirm {where}")
    print(f"export       .venv/bin/python -m search.export {where}")
    print(f"report       .venv/bin/python -m analysis.report {where}")


def print_arms_summary(record: RunRecord, folder: RunFolder) -> None:
    """The last lines of `--around RUN`: where everything is, and the command that decides."""
    trained = [trial.status for trial in record.trials.values()]
    where = shown_path(folder.root)
    print(f"\n{len(trained)} trainings: {trained.count('finished')} finished")
    print(f"run folder   {where}")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    print(f"verdicts     .venv/bin/python -m analysis.compare {where}")


def resume_command(folder: RunFolder) -> str:
    """What goes on with a run."""
    run = f"--storage {shown_path(folder.root.parent)} --name {folder.root.name}"
    return f".venv/bin/python -m search.run --resume {run}"


def shown_path(path: Path) -> str:
    """As it is typed from here: relative when below the working directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _differing(config: dict[str, Any], configs: list[dict[str, Any]]) -> str:
    """The settings of one configuration that are not the same in all."""
    names = [n for n in config if len({str(other[n]) for other in configs}) > 1]
    return ", ".join(f"{name} {_short(config[name])}" for name in names)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
