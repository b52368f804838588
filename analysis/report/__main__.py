"""`python -m analysis.report RUN`: open the sealed test once and explain the winner.

Writes RUN/report/index.html and report.json, on test pictures that the search has never seen.
"""

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence

from trainables.command import Parser, run_main
from trainables.errors import refuse
from trainables.models.run_weights import WEIGHTS_HELP, keep_weights
from trainables.storage.layout import check_run_files
from trainables.storage.working_copy import working_copy

COMMAND = "python -m analysis.report"
LEAST = {"images_per_class": 3, "batch_size": 1, "num_resamples": 100, "seed": 0}
DEVICES = ("auto", "cpu", "cuda")


def main(arguments: Sequence[str]) -> None:
    """Check all that can be checked; only then import what is heavy, and report."""
    options = parse(arguments)
    with working_copy(options.run) as run:
        check_run_files(run.path)
        if options.weights:
            keep_weights(run.path, options.weights)

        from analysis.report.reporting import write_report

        sentence, page = write_report(
            run.path,
            images_per_class=options.images_per_class,
            device=options.device,
            batch_size=options.batch_size,
            num_resamples=options.num_resamples,
            seed=options.seed,
            command=f"{COMMAND} {shlex.join(arguments)}",
        )
    print(sentence, run.shown(page), sep="\n")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; UserError for numbers out of bounds."""
    parser = Parser("analysis.report", __doc__)
    add = parser.add_argument
    add("run", help="run folder, such as runs/demo, or its URI")
    add("--weights", default="", metavar="PATH", help=WEIGHTS_HELP)
    add(
        "--images-per-class",
        type=int,
        default=200,
        metavar="N",
        help="test pictures that are changed in some forty ways (default: 200); more than ten "
        "classes share as many",
    )
    add("--device", default="auto", help="auto (default: a GPU where there is one), cpu or cuda")
    add("--batch-size", type=int, default=256, metavar="N", help="pictures a pass (default: 256)")
    add(
        "--num-resamples",
        type=int,
        default=10_000,
        metavar="N",
        help="bootstrap draws behind each interval (default: 10000)",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of the bootstrap, the samples and what is changed in them (default: 0)",
    )
    options = parser.parse_args(arguments)
    refuse(_faults(options))
    return options


def _faults(options: argparse.Namespace) -> Iterator[str]:
    for name, low in LEAST.items():
        value = getattr(options, name)
        if value < low:
            flag = "--" + name.replace("_", "-")
            yield f"{flag} is {value}; allowed: {low} or more; leave it out for the default"
    if options.device not in DEVICES:
        yield f"--device is {options.device!r}; allowed: {', '.join(DEVICES)}"


if __name__ == "__main__":
    sys.exit(run_main(main))
