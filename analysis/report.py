"""Open the sealed test once and explain the winner: RUN/report/index.html and report.json."""

import shlex
import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from analysis.reporting import write_report
from analysis.statistics import NUM_RESAMPLES
from trainables.errors import UserError, refuse
from trainables.remote.working_copy import working_copy

COMMAND = "python -m analysis.report"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Report on a run's best checkpoint, on the test images that the search has never seen."""

    run: Annotated[str, tyro.conf.Positional]  # folder that search.run made, or its URI
    images_per_class: int = 200  # test images that the battery changes in some forty ways
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto takes a GPU when there is one
    batch_size: int = 256  # images a forward pass
    num_resamples: int = NUM_RESAMPLES  # bootstrap draws behind each interval
    seed: int = 0  # of the bootstrap, of the samples and of what is changed in them

    def check(self) -> None:
        least = {"images_per_class": 3, "batch_size": 1, "num_resamples": 100, "seed": 0}
        refuse(
            f"{name} is {getattr(self, name)}; allowed: {low} or more; leave it out for the default"
            for name, low in least.items()
            if getattr(self, name) < low
        )


def main() -> None:
    try:
        options = tyro.cli(Options, prog=COMMAND)
        options.check()
        with working_copy(options.run) as run:
            sentence, page = write_report(
                run.path,
                images_per_class=options.images_per_class,
                device=options.device,
                batch_size=options.batch_size,
                num_resamples=options.num_resamples,
                seed=options.seed,
                command=f"{COMMAND} {shlex.join(sys.argv[1:])}",
            )
    except UserError as error:
        print(*(f"error: {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        sys.exit(2)
    print(sentence, run.shown(page), sep="\n")


if __name__ == "__main__":
    main()
