"""`python -m search.lr_find`: a short sweep of the learning rate that suggests head_lr.

Takes the flags of `python -m search.run`, which say what trial the rate is for, and its own. Trains
a throw-away model in this process, without Ray: no run is made or touched, no model is kept.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.settings.checks import check_gpu_devices, check_gpus_here
from search.settings.command_line import parse_settings
from search.settings.settings import Settings
from trainables.command import Parser, run_main
from trainables.data.early import check_early
from trainables.data.sources import check_source
from trainables.errors import refuse
from trainables.models.weights import check_weights_file
from trainables.storage.files import write_bytes

if TYPE_CHECKING:
    from trainables.lr_finder import Curve

MIN_STEPS, MAX_STEPS = 10, 1000
SHOWN_STEPS = 20  # rows of the table
RULES = {
    "valley": "the safe one: the middle of the longest descent",
    "steepest": "the bold one: where the loss falls fastest",
}


def main(arguments: Sequence[str]) -> None:
    """Check all flags, sweep, say what the curve suggests."""
    parser = Parser("search.lr_find", __doc__)
    add = parser.add_argument
    add("--steps", type=int, default=100, help="optimiser steps of the sweep (default: 100)")
    add("--phase", type=int, default=1, help="1: frozen backbone (default); 2: after phase 1")
    add("--plot", type=Path, metavar="FILE", help="draw the curve as a PNG")
    options, others = parser.parse_known_args(arguments)
    settings = parse_settings(others, module="search.lr_find")
    refuse(_faults(options, settings))
    check_gpu_devices(settings)
    check_early(settings.data_spec)
    refuse(f"--{fault}" for fault in check_weights_file(settings.backbone, settings.weights))
    curve = find(settings, phase=options.phase, num_steps=options.steps)
    suggestions = print_suggestions(curve)
    if options.plot:
        write_bytes(options.plot, draw(curve, suggestions))
        print(f"plot         {options.plot}")


def find(settings: Settings, *, phase: int, num_steps: int) -> "Curve":
    """Sweep, with a line every few steps; what is heavy is imported after the flags' check."""
    import torch

    from search.settings.checks import choose_precision, worker_threads
    from trainables.data.load import load_training
    from trainables.lr_finder import sweep
    from trainables.training.pictures import TrialData

    refuse(check_source(settings.data_spec))
    check_gpus_here(settings)
    torch.set_num_threads(worker_threads(settings))
    config = settings.base_config(precision=choose_precision(settings))
    loaded = load_training(settings.data_spec)

    def report(step: int, rate: float, loss: float) -> None:
        if step == 1 or step % max(1, num_steps // SHOWN_STEPS) == 0:
            print(f"{step:>6}  {rate:>9.1e}  {loss:>9.4f}", flush=True)

    print(
        f"sweep        phase {phase}, {num_steps} steps of {config.batch_size} pictures at "
        f"{config.resolution_px} px, {config.backbone} ({config.weights}), {config.precision}"
    )
    if phase == 2:
        print(f"phase 1      first, {config.head_epochs} epochs at head_lr {config.head_lr:g}")
    print(f"{'step':>6}  {'head_lr':>9}  {'loss':>9}", flush=True)
    curve = sweep(
        config,
        TrialData(train=loaded.train, val=loaded.val, data_seed=settings.seed),
        phase=phase,
        num_steps=num_steps,
        device=torch.device("cuda" if settings.gpus_per_trial else "cpu"),
        report=report,
    )
    if curve.diverged:
        print(f"diverged     after {len(curve.losses)} of {num_steps} steps")
    return curve


def print_suggestions(curve: "Curve") -> dict[str, float]:
    """Say what each rule suggests and where to write it; or that nothing can be said."""
    from trainables.lr_finder import CLEAR_FALL, HIGHEST_RATE, suggest

    suggestions = suggest(curve)
    if not suggestions:
        print(
            f"suggestion   none: no clear minimum, the loss does not fall by {CLEAR_FALL:.0%}; "
            "keep head_lr, or try more --steps"
        )
        return suggestions
    for rule, rate in suggestions.items():
        print(f"{rule:<13}head_lr {rate:.2g}, {RULES[rule]}")
    rate = suggestions["valley"]
    low = min(suggestions.values()) / 2
    high = min(max(suggestions.values()) * 2, HIGHEST_RATE)
    print(
        f"to use it    in a space of your own (--space MODULE:FUNCTION), fixed:\n"
        f"                 return replace(core(trial, base), head_lr={rate:.2g})\n"
        f"             or searched around both:\n"
        f'                 trial.suggest_float("head_lr", {low:.2g}, {high:.2g}, log=True)\n'
        f"             it is the peak of both phases: see what --phase 1 and --phase 2 suggest"
    )
    return suggestions


def draw(curve: "Curve", suggestions: dict[str, float]) -> bytes:
    """The curve and its suggestions as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.semilogx(curve.rates, curve.losses, color="black")
    for (rule, rate), style in zip(suggestions.items(), ("--", ":"), strict=False):
        axes.axvline(rate, color="black", linestyle=style, label=f"{rule} {rate:.2g}")
    axes.set(xlabel="head_lr", ylabel="training loss (nats), smoothed")
    if suggestions:
        axes.set_ylim(top=1.3 * curve.losses[0])  # how far it shot up at the end matters little
        axes.legend()
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()


def _faults(options: argparse.Namespace, settings: Settings) -> Iterator[str]:
    if not MIN_STEPS <= options.steps <= MAX_STEPS:
        yield f"--steps is {options.steps}; allowed: {MIN_STEPS} to {MAX_STEPS}"
    if options.phase not in (1, 2):
        yield f"--phase is {options.phase}; allowed: 1 (frozen backbone), 2 (partly unfrozen)"
    if options.phase == 2 and not settings.finetune_epochs:
        yield "--phase is 2 with --finetune-epochs 0; allowed: 1 epoch or more, or --phase 1"
    if options.plot and options.plot.suffix != ".png":
        yield f"--plot is {options.plot}; allowed: a name ending in .png"
    if options.plot and not options.plot.absolute().parent.is_dir():
        yield f"--plot is {options.plot}; allowed: a file in an existing folder; make the folder"


if __name__ == "__main__":
    sys.exit(run_main(main))
