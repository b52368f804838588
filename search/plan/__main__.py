"""`python -m search.plan`: what a search would take, before anything is spent.

Takes the flags of `python -m search.run` and a price. Times a few steps of the real training code
at both ends of the space, on pictures drawn at random; reads no pictures and keeps nothing.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence

from search.settings.checks import check_gpu_devices
from search.settings.command_line import parse_settings
from search.settings.settings import Settings
from spaces.registry import check_space
from trainables.command import Parser, run_main
from trainables.errors import refuse
from trainables.models.weights import check_weights_file


def main(arguments: Sequence[str]) -> None:
    """Check all flags, probe, print the table."""
    parser = Parser("search.plan", __doc__)
    parser.add_argument(
        "--price-per-hour",
        type=float,
        default=0.0,
        metavar="P",
        help="of one GPU, or of this machine where the search asks for no GPU",
    )
    options, others = parser.parse_known_args(arguments)
    settings = parse_settings(others, module="search.plan")
    refuse(_faults(options, settings))
    check_gpu_devices(settings)
    refuse(f"--{fault}" for fault in check_weights_file(settings.backbone, settings.weights))
    check_space(settings.space, settings.base_config(precision="float32"))

    from search.plan.planning import make_plan
    from search.plan.table import table

    print("probe        a few steps of each phase at both ends of the space", flush=True)
    print("\n".join(table(make_plan(settings), price_per_hour=options.price_per_hour)))


def _faults(options: argparse.Namespace, settings: Settings) -> Iterator[str]:
    if not (math.isfinite(options.price_per_hour) and options.price_per_hour >= 0):
        yield f"--price-per-hour is {options.price_per_hour:g}; allowed: 0 or more"
    if settings.resume:
        yield "--resume came to a plan; allowed: the flags of a new run; leave it out"
    if settings.around:
        yield (
            "--around came to a plan; allowed: a search; arms x seeds trainings take as long as "
            "as many finished trials of RUN, which trials.parquet tells"
        )


if __name__ == "__main__":
    sys.exit(run_main(main))
