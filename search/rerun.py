"""`python -m search.rerun RUN TRIAL`: one recorded trial again, outside Ray, beside its record.

On the same hardware and versions a trial gives the same numbers, to the last digit on a CPU. On
others sums round otherwise, and training makes more of it: --tolerance says how much may be.
Status 0: identical or within the tolerance; 1: different. Nothing is written.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from search.comparison import HEADER, Epoch, judge
from search.record import RunRecord, TrialRecord
from search.run_folder import RunFolder
from search.settings import Settings
from trainables.command import Parser, run_main
from trainables.config import FineTuneConfig
from trainables.errors import UserError, refuse
from trainables.run_weights import WEIGHTS_HELP, recorded_name, weights_of_run


def main(arguments: Sequence[str]) -> int:
    """Check, train, print a line an epoch and the verdict; 1 when the two differ."""
    parser = Parser("search.rerun", __doc__)
    add = parser.add_argument
    add("run", help="run folder, such as runs/demo, or its URI")
    add("trial", type=int, help="number of the trial")
    add("--epochs", type=int, default=0, help="only so many of its first; default: all on record")
    add("--weights", default="", metavar="PATH", help=WEIGHTS_HELP)
    add("--device", default="auto", help="auto (default: as recorded, if it is there), cpu or cuda")
    add(
        "--tolerance",
        type=float,
        default=0.0,
        help="what a figure may differ by, and which share of the validation pictures may be "
        "judged otherwise (default: 0, the same to the last digit)",
    )
    options = parser.parse_args(arguments)
    folder = RunFolder.at(options.run)
    experiment = folder.read_experiment()
    weights = weights_of_run(folder.root, options.weights)
    settings = Settings(**{**experiment["settings"], "weights": weights})
    refuse(_faults(options, settings))
    trial = find_trial(RunRecord.read(folder.journal), options.trial)
    recorded = trial.reports[: options.epochs or None]

    print(f"trial        {trial.number}, {trial.status}; {len(recorded)} epochs to compare")
    epochs: list[Epoch] = []
    reports = train_again(trial, settings, folder, device_name=options.device)
    for report, again in zip(recorded, reports, strict=False):  # trains no more than is on record
        if not epochs:
            print(HEADER)
        epochs.append(Epoch(recorded=report, again=again))
        print(epochs[-1].line(), flush=True)
    verdict = judge(epochs, num_recorded=len(recorded), tolerance=options.tolerance)
    print(f"verdict      {verdict.text}")
    if not verdict.is_identical:
        for line in changes(experiment):
            print(f"note         {line}")
    return 0 if verdict.agrees else 1


def find_trial(record: RunRecord, number: int) -> TrialRecord:
    """The trial of that number; UserError when it has no epoch on record."""
    if number in record.answered:
        raise UserError(
            f"TRIAL {number} was a duplicate that the record answered; allowed: trial "
            f"{record.answered[number]}, which was trained"
        )
    trained = [trial.number for trial in record.trials.values() if trial.reports]
    if number not in trained:
        numbers = ", ".join(map(str, sorted(trained))) or "none"
        raise UserError(f"TRIAL is {number}; allowed: one with an epoch on record: {numbers}")
    return record.trials[number]


def train_again(
    trial: TrialRecord, settings: Settings, folder: RunFolder, *, device_name: str
) -> Iterator[dict[str, Any]]:
    """The reports of the trial's epochs, each as soon as it is trained.

    Raises:
        UserError: the pictures are not those of the run any more, or there is no such device.
    """
    import torch

    from search.environment import worker_threads
    from search.preparation import continue_with, fresh_pictures
    from trainables.parallel import SOLO
    from trainables.two_phase import Trial

    has_gpu = torch.cuda.is_available()
    if device_name == "auto":
        device_name = "cuda" if settings.gpus_per_trial and has_gpu else "cpu"
    if device_name == "cuda" and not has_gpu:
        raise UserError("--device is cuda, and there is no GPU here; allowed: cpu, auto")
    torch.set_num_threads(worker_threads(settings))
    config = FineTuneConfig.from_dict(trial.config)
    pictures = continue_with(settings, folder).pictures
    if config.seed != settings.seed:  # an arm of --around: each seed has a split of its own
        pictures = fresh_pictures(settings, config.seed)
    again = Trial(
        config,
        pictures,
        device=torch.device(device_name),
        workers=SOLO,
        weights=settings.weights if config.weights == recorded_name(folder.root) else "",
    )
    threads = torch.get_num_threads()
    print(f"again        on the {device_name}, {threads} thread{'s' if threads > 1 else ''}")
    while not again.finished:
        yield again.run_epoch(again.epoch + 1)


def changes(experiment: dict[str, Any]) -> list[str]:
    """What is not as it was when the run was begun, a line each."""
    from search.environment import describe, differing_versions

    here = describe()
    now, then = (
        {"git_commit": made["git_commit"], **made["hardware"]} for made in (here, experiment)
    )
    return differing_versions(experiment["versions"]) + [
        f"{name} is {now[name]}; the run was made with {then[name]}"
        for name in ("processor", "gpus", "git_commit")
        if now[name] != then[name]
    ]


def _faults(options: argparse.Namespace, settings: Settings) -> Iterator[str]:
    if options.epochs < 0:
        yield f"--epochs is {options.epochs}; allowed: 1 or more; 0 for all on record"
    if not (math.isfinite(options.tolerance) and options.tolerance >= 0):
        yield f"--tolerance is {options.tolerance:g}; allowed: 0 or more"
    if options.device not in ("auto", "cpu", "cuda"):
        yield f"--device is {options.device!r}; allowed: auto, cpu, cuda"
    if settings.workers_per_trial > 1:
        yield (
            f"{options.run} trained each trial on {settings.workers_per_trial} workers; allowed: "
            "runs with --workers-per-trial 1, whose numbers one process can repeat"
        )


if __name__ == "__main__":
    sys.exit(run_main(main))
