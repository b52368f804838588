"""Trains the arms of `--around RUN` as Ray trials of an ordinary run folder, and says what next."""

from search.confirm_text import FreshProgress
from search.design import Design
from search.fresh_runs import train_listed
from search.preparation import fresh_pictures
from search.record import RunRecord
from search.recorder import KEPT_TRIALS
from search.run_folder import RunFolder
from search.settings import Settings
from search.tensorboard import TensorBoard
from trainables import journal


def train_arms(design: Design, folder: RunFolder, settings: Settings) -> RunRecord:
    """Train every arm with every seed, or what is left of it, on the connected cluster.

    Raises:
        UserError: it was cut short; `--resume` goes on with the rest.
    """
    print(f"aim          {' and '.join(design.pair)} ({design.source})")
    print(f"placebo      {' and '.join(design.placebo)}")
    print(
        f"arms         {', '.join(design.arms)}; seeds {', '.join(map(str, design.seeds))}: "
        f"{design.num_runs} trainings"
    )
    journal.append(folder.journal, "session_started")
    cells = {number: design.cell(number) for number in range(design.num_runs)}
    record = train_listed(
        design.items(),
        folder,
        {seed: fresh_pictures(settings, seed) for seed in design.seeds},
        settings,
        run=folder,
        listeners=(FreshProgress(cells, title="arm"), TensorBoard(folder)),
        kept_trials=KEPT_TRIALS,
        go_on=f"--resume --name {folder.root.name} goes on with the rest",
    )
    journal.append(folder.journal, "session_ended")
    return record


def print_next(record: RunRecord, folder: RunFolder) -> None:
    """Where everything is, and the command that decides."""
    trained = [trial.status for trial in record.trials.values()]
    where = folder.shown(folder.root)
    print(f"\n{len(trained)} trainings: {trained.count('finished')} finished")
    print(f"run folder   {where}")
    print(f"watch        .venv/bin/tensorboard --logdir {where}")
    print(f"verdicts     .venv/bin/python -m analysis.compare {where}")
