"""`python -m search.confirm RUN`: the best again with fresh seeds; a winner or a tie.

The best k finished trials are trained anew with n seeds that the search did not use, paired across
configurations. What cannot be told apart is a tie, of which the cheapest is taken. Killed and
started again it goes on where it was; run again after its end it prints the result once more.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from search.confirm.grid import BOUNDS, settle_plan
from search.records.folder import RunFolder, exclusive_access, opened
from search.records.record import RunRecord
from search.settings.settings import Settings
from trainables.command import Parser, run_main
from trainables.errors import refuse
from trainables.models.run_weights import WEIGHTS_HELP, weights_of_run

# What may be another than in the search: what the trainings occupy, never what they are.
RESOURCES = {
    "max_concurrent": int,
    "cpus_per_trial": float,
    "gpus_per_trial": float,
    "workers_per_trial": int,
    "disk_quota": str,
    "address": str,
    "wait_for_gpu": float,
}


def main(arguments: Sequence[str]) -> None:
    """Check all that can be checked; only then import what is heavy, and confirm."""
    options = parse(arguments)
    with opened(options.run) as run:
        confirm_in(run, options)


def confirm_in(run: RunFolder, options: argparse.Namespace) -> None:
    """Settle what is trained, and train what of it is not done yet."""
    of_run = run.read_experiment()["settings"]
    weights = weights_of_run(run.root, options.weights)
    recorded = Settings(**{**of_run, "address": "", "weights": weights})
    given = {name: getattr(options, name) for name in RESOURCES}
    settings = replace(recorded, **{n: value for n, value in given.items() if value is not None})
    with exclusive_access(run.root):
        run.keep_weights(options.weights)
        plan = settle_plan(
            run.confirm,
            RunRecord.read(run.journal),
            settings.seed,
            top=options.top,
            seeds=options.seeds,
        )
        from search.confirm.steps import confirm

        confirm(run, plan, settings, final=options.final)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; UserError for numbers out of bounds."""
    parser = Parser("search.confirm", __doc__)
    add = parser.add_argument
    add("run", help="run folder, such as runs/demo, or its URI")
    add("--top", type=int, metavar="K", help="configurations to confirm (default: 3)")
    add("--seeds", type=int, metavar="N", help="fresh seeds for each (default: 3)")
    add("--weights", default="", metavar="PATH", help=WEIGHTS_HELP)
    add("--final", action="store_true", help="then train the winner on train + validation")
    for name, kind in RESOURCES.items():
        add(f"--{name.replace('_', '-')}", type=kind, help="default: as in the search")
    options = parser.parse_args(arguments)
    refuse(
        f"--{name} is {value}; allowed: {low} to {high}"
        for name, (low, high) in BOUNDS.items()
        if (value := getattr(options, name)) is not None and not low <= value <= high
    )
    return options


if __name__ == "__main__":
    sys.exit(run_main(main))
