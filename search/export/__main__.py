"""`python -m search.export RUN`: the best checkpoint as a folder to ship, proven by reloading."""

import sys
from collections.abc import Sequence

from search.records.folder import opened
from trainables.command import Parser, run_main
from trainables.errors import refuse
from trainables.models.formats import FILES, missing_packages
from trainables.models.run_weights import WEIGHTS_HELP, keep_weights


def main(arguments: Sequence[str]) -> None:
    """Write the export, reload it in a fresh process, compare; nothing stays when they differ."""
    parser = Parser("search.export", __doc__)
    parser.add_argument("run", help="run folder, such as runs/demo, or its URI")
    parser.add_argument("--weights", default="", metavar="PATH", help=WEIGHTS_HELP)
    parser.add_argument("--final", action="store_true", help="the model of search.confirm --final")
    parser.add_argument(
        "--format",
        nargs="+",
        action="extend",
        choices=FILES,
        default=[],
        help="what to write beside model.safetensors and its config.json, which are always made",
    )
    options = parser.parse_args(arguments)
    formats = [name for name in FILES if name == "safetensors" or name in options.format]
    refuse(missing_packages(formats))
    with opened(options.run) as run:
        run.read_experiment()
        _ = run.read_final() if options.final else run.read_best()
        if options.weights:
            keep_weights(run.root, options.weights)

        from search.export.exporting import (
            export_run,  # torch, after the arguments have been checked
        )

        export_run(run, formats, final=options.final)


if __name__ == "__main__":
    sys.exit(run_main(main))
