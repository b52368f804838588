"""`python -m search.run`: the search, from settings to a run folder with a winner.

A run that has nothing left to do says so at once, without Ray. A winner that is not clear of the
gate gets its diagnostic report without being asked for.
"""

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from search.interventions.design import InterventionDesign, design_around
from search.monitoring.summary import print_arms_summary, print_summary
from search.records.folder import RunFolder, choose_address, opened
from search.records.record import OBJECTIVE, RunRecord
from search.settings.checks import check_gpu_devices, check_gpus_here, check_new_run
from search.settings.command_line import parse_call
from search.settings.settings import Settings
from trainables.command import run_main
from trainables.config import FineTuneConfig
from trainables.storage import journal

Z = 1.96  # 95 % of a normal distribution


def main(arguments: Sequence[str]) -> None:
    """Check everything that can be checked, then search; the run folder is made last."""
    settings, call = parse_call(arguments)
    stem = f"{Path(settings.around).resolve().name}-cures" if settings.around else settings.preset
    address = choose_address(settings.storage, settings.name, stem, resume=settings.resume)

    from spaces.registry import rehearse

    if settings.resume and report_if_finished(settings, RunFolder.at(address)):
        return
    base = settings.base_config(precision="float32")
    rehearsal = rehearse(settings.space, base)
    design = None if settings.resume else design_around(settings, base)
    check_gpu_devices(settings)
    if not settings.resume:
        check_new_run(settings)
    if settings.dry_run:
        from search.dry_run import as_json, as_text

        described = (settings, address, rehearsal, design)
        print(as_json(*described) if call.json else "\n".join(as_text(*described)))
        return
    with opened(address, checkpoints=False) as folder:
        record = search(settings, folder, design)
    if record:
        diagnose(record, settings, address)


def search(
    settings: Settings, folder: RunFolder, design: InterventionDesign | None
) -> RunRecord | None:
    """The search, or None where arms were trained instead.

    Everything heavy is imported here, after the arguments have been checked.

    Args:
        settings: of the run.
        folder: to make, or to go on in.
        design: of a new run with --around; a run to go on with has its own on record.
    """
    from search.cluster import connect
    from search.interventions import arms
    from search.monitoring import summary
    from search.plan.packing import pack_gpus
    from search.records.disk import enough_room
    from search.records.folder import exclusive_access
    from search.settings.checks import choose_precision
    from search.tuning import preparation, tuner

    if settings.gpus_per_trial and connect.find_cluster(settings.address)[0] == connect.LOCAL:
        check_gpus_here(settings)
    if settings.resume:
        # What the run was begun with: "auto" may mean something else on this machine.
        experiment, new = folder.read_experiment(), None
        folder.keep_weights(settings.weights)
        base = FineTuneConfig.from_dict(experiment["base_config"])
        design = InterventionDesign.of(experiment)
    else:
        base = settings.base_config(precision=choose_precision(settings))
        if design:
            design = design.with_precision(base.precision)
            settings = replace(settings, num_trials=len(design.grid))
        new = preparation.begin(settings, folder, base, design)
    if folder.is_pulled:
        print(f"copy         {folder.root} (tensorboard --logdir), pushed to {folder.address}")
    with exclusive_access(folder.root), enough_room(folder.root):
        data = new or preparation.continue_with(settings, folder)
        print(f"cluster      {connect.connect(settings)}")
        settings = pack_gpus(settings)
        if design:
            summary.print_arms_summary(arms.train_arms(design, folder, settings), folder)
            return None
        record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)
    return record


def report_if_finished(settings: Settings, folder: RunFolder) -> bool:
    """Whether all trials have ended, and their session in order; if so, say it and what is next.

    A session that was killed after its last trial may have left tables behind the journal: that run
    is not finished.
    """
    events = journal.read(folder.journal)
    sessions = [
        event["event"] for event in events if event["event"] in ("session_started", "session_ended")
    ]
    design = InterventionDesign.of(folder.read_experiment())
    num_trials = len(design.grid) if design else settings.num_trials
    record = RunRecord.of(events)
    if record.num_ended < num_trials or sessions[-1:] != ["session_ended"]:
        return False
    print(f"finished     {folder.root.name} has all its {num_trials} trials; nothing is left to do")
    if design:
        print_arms_summary(record, folder)
    else:
        print_summary(record, folder)
        print("\nmore         --resume with a larger --num-trials goes on")
    return True


def diagnose(record: RunRecord, settings: Settings, address: str) -> None:
    """Run `analysis.report` where the winner may lie below the gate (decks A and B).

    The report is a process of its own: it opens the sealed test, and the search does not.

    Args:
        record: of the search.
        settings: of the run.
        address: of the run, whose lock is free again.
    """
    from trainables.training.evaluation import GATE

    best = record.best_trial
    if not settings.diagnose or best is None or best.best is None:
        return
    value = best.best[OBJECTIVE]
    if is_clear_of(GATE, value, settings.val_size):
        return
    print(f"\ndiagnosis    validation macro-F1 {value:.3f} is not clear of the {GATE:.0%} gate")
    command = [sys.executable, "-m", "analysis.report", address]
    if subprocess.run(command, cwd=Path(__file__).parents[1]).returncode:
        print("diagnosis    the report could not be written; the search is whole all the same")


def is_clear_of(gate: float, macro_f1: float, num_images: int) -> bool:
    """Whether a macro-F1 lies above the gate by more than the draw of the pictures may explain.

    Its interval is taken to be as wide as an accuracy's (measured on CIFAR-10: no wider).
    """
    half_width = Z * math.sqrt(max(macro_f1 * (1 - macro_f1), 0.0) / num_images)
    return macro_f1 - half_width >= gate


if __name__ == "__main__":
    sys.exit(run_main(main))
