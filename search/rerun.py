"""`python -m search.rerun RUN TRIAL`: one recorded trial again, outside Ray, beside its record.

On the same hardware and versions a trial gives the same numbers, to the last digit on a CPU. On
others sums round otherwise, and training makes more of it: --tolerance says how much may be.
Status 0: identical or within the tolerance; 1: different. Nothing is written.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.monitoring.lines import PHASES
from search.records.folder import RunFolder
from search.records.record import RunRecord, TrialRecord
from search.settings.settings import Settings
from trainables.command import Parser, run_main
from trainables.config import FineTuneConfig
from trainables.errors import UserError, refuse
from trainables.models.run_weights import WEIGHTS_HELP, recorded_name, weights_of_run
from trainables.training.epoch_report import EpochReport

FIGURES = ("train_loss", "val_loss", "val_accuracy", "val_macro_f1")
COUNTS = "val_confusion"
TITLES = ("train loss", "val loss", "val accuracy", "val F1")
# Two lines: each figure as recorded and again, and what differs.
HEADER = (
    f"{'':>5}  {'':<8}  "
    + "  ".join(f"{title:^17}" for title in TITLES)
    + f"  {'pictures':>8}  {'largest':>10}\n{'epoch':>5}  {'phase':<8}  "
    + "  ".join([f"{'recorded':>8} {'again':>8}"] * len(FIGURES))
    + f"  {'moved':>8}  {'difference':>10}"
)


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
    epochs: list[EpochComparison] = []
    reports = train_again(trial, settings, folder, device_name=options.device)
    for report, again in zip(recorded, reports, strict=False):  # trains no more than is on record
        if not epochs:
            print(HEADER)
        epochs.append(EpochComparison(recorded=report, again=again))
        print(epochs[-1].line(), flush=True)
    verdict = give_verdict(epochs, num_recorded=len(recorded), tolerance=options.tolerance)
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
) -> Iterator[EpochReport]:
    """The reports of the trial's epochs, each as soon as it is trained.

    Raises:
        UserError: the pictures are not those of the run any more, or there is no such device.
    """
    import torch

    from search.settings.checks import worker_threads
    from search.tuning.preparation import continue_with, fresh_pictures
    from trainables.training.parallel import SOLO
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
    from search.records.environment import describe_environment, differing_versions

    here = describe_environment()
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


@dataclass(frozen=True, kw_only=True)
class EpochComparison:
    """The two reports of one epoch. A figure that is no number is in neither."""

    recorded: Mapping[str, Any]
    again: Mapping[str, Any]

    @property
    def number(self) -> int:
        return int(self.recorded["epoch"])

    @property
    def moved(self) -> int:
        """Validation pictures that the two count in different cells of the confusion matrix."""
        rows = zip(self.recorded[COUNTS], self.again[COUNTS], strict=True)
        differences = [abs(a - b) for row in rows for a, b in zip(*row, strict=True)]
        return math.ceil(sum(differences) / 2)  # a picture leaves one cell and enters another

    @property
    def difference(self) -> float:
        """The largest of a figure, and of the share of validation pictures that moved."""
        share = self.moved / max(sum(map(sum, self.recorded[COUNTS])), 1)
        return max(share, *(self._differ(name) for name in FIGURES))

    def line(self) -> str:
        """Under `HEADER`."""
        figures = (
            f"{self._shown(self.recorded, name)} {self._shown(self.again, name)}"
            for name in FIGURES
        )
        difference = f"{self.difference:.1e}" if self.difference else "0"
        return (
            f"{self.number:>5}  {PHASES[self.recorded['phase']]:<8}  {'  '.join(figures)}  "
            f"{self.moved:>8}  {difference:>10}"
        )

    def _shown(self, report: Mapping[str, Any], name: str) -> str:
        return f"{report[name]:>8.5f}" if name in report else f"{'-':>8}"

    def _differ(self, name: str) -> float:
        match [report[name] for report in (self.recorded, self.again) if name in report]:
            case [one, other]:
                return float(abs(one - other))
            case [_]:
                return math.inf  # a number in one of them alone
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the two trainings agree, and how that is said."""

    is_identical: bool
    agrees: bool
    text: str


def give_verdict(
    epochs: Sequence[EpochComparison], *, num_recorded: int, tolerance: float
) -> Verdict:
    """Identical to the last digit, within a tolerance, or different.

    Args:
        epochs: as far as the trial got this time.
        num_recorded: epochs that it should have got to.
        tolerance: of a figure, and of the share of the validation pictures that moved.
    """
    if len(epochs) < num_recorded:
        text = f"differs: over after {len(epochs)} epochs, with {num_recorded} on record"
        return Verdict(is_identical=False, agrees=False, text=text)
    different = [epoch for epoch in epochs if epoch.difference]
    if not different:
        return Verdict(is_identical=True, agrees=True, text="identical to the last digit")
    worst, first = max(epoch.difference for epoch in different), different[0].number
    agrees = worst <= tolerance
    how = f"within {worst:.1e} of the record" if agrees else f"differs by up to {worst:.1e}"
    return Verdict(
        is_identical=False,
        agrees=agrees,
        text=f"{how}, from epoch {first} on; {tolerance:g} is allowed",
    )


if __name__ == "__main__":
    sys.exit(run_main(main))
