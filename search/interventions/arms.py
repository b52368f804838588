"""Trains the arms of `--around RUN` as Ray trials of an ordinary run folder."""

from search.interventions.design import InterventionDesign
from search.monitoring.lines import FreshProgress
from search.monitoring.summary import resume_command
from search.monitoring.tensorboard import TensorBoard
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from search.tuning.fixed_list import train_fixed_list
from search.tuning.preparation import fresh_pictures
from search.tuning.recorder import KEPT_TRIALS
from trainables.storage import journal


def train_arms(design: InterventionDesign, folder: RunFolder, settings: Settings) -> RunRecord:
    """Train every arm with every seed, or what is left of it, on the connected cluster.

    Raises:
        RunError: it was cut short; `--resume` goes on with the rest.
    """
    print(f"aim          {' and '.join(design.pair)} ({design.source})")
    print(f"placebo      {' and '.join(design.placebo)}")
    print(
        f"arms         {', '.join(design.arms)}; seeds {', '.join(map(str, design.seeds))}: "
        f"{len(design.grid)} trainings"
    )
    journal.append(folder.journal, "session_started")
    datasets = {seed: fresh_pictures(settings, seed) for seed in design.seeds}
    board = TensorBoard(folder, datasets, params=["arm"])
    record = train_fixed_list(
        design.items(),
        folder,
        datasets,
        settings,
        run=folder,
        listeners=(FreshProgress(design.grid.cells(), title="arm"), board),
        kept_trials=KEPT_TRIALS,
        go_on=f"go on with {resume_command(folder)}",
    )
    journal.append(folder.journal, "session_ended")
    return record
