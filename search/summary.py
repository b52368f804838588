"""The last lines of a search: the best trials, and where everything is."""

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
    where = folder.shown(folder.root)
    print(f"\nrun folder   {where}")
    if counts["running"]:
        run = f"--storage {where.rpartition('/')[0] or '.'} --name {folder.root.name}"
        print(f"go on        .venv/bin/python -m search.run --resume {run}")
    if not ranked:
        return
    print(f"winner       {where}/best.json")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    if counts["finished"]:
        print(f"confirm      .venv/bin/python -m search.confirm {where}")
    print(f"export       .venv/bin/python -m search.export {where}")
    print(f"report       .venv/bin/python -m analysis.report {where}")


def _differing(config: dict[str, Any], configs: list[dict[str, Any]]) -> str:
    """The settings of one configuration that are not the same in all."""
    names = [n for n in config if len({str(other[n]) for other in configs}) > 1]
    return ", ".join(f"{name} {_short(config[name])}" for name in names)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
