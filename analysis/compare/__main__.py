"""`python -m analysis.compare RUN...`: one run's interventions judged, or runs side by side.

One run: the verdict on each of its interventions, in RUN/compare.json and RUN/compare.html.
Several runs: their winners side by side, in compare-runs.json of the first.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainables.command import Parser, run_main
from trainables.errors import UserError
from trainables.storage.layout import check_run_files
from trainables.storage.working_copy import fetched, working_copy

COMMAND = "python -m analysis.compare"
FORMAT_VERSION = 1


def compare(
    paths: Sequence[Path], command: str, *, shown: Callable[[Path], str] = str
) -> list[str]:
    """Compare, write down, and return the lines for the terminal.

    Args:
        paths: of the runs; what is made goes to the first.
        command: the command line that compares.
        shown: a path in the first run as a user finds it.

    Raises:
        UserError: a run cannot be read, or a single one has no arms.
    """
    for path in paths:
        check_run_files(path)

    from analysis.compare.interventions import compare_arms
    from analysis.compare.page import render_comparison
    from analysis.compare.runs import describe_arms, describe_runs, side_by_side
    from analysis.run.reader import read_run
    from trainables.storage.files import without_nan, write_report_json, write_text

    runs = [read_run(path.absolute()) for path in paths]
    made: dict[str, Any] = {"format_version": FORMAT_VERSION, "command": command}
    if len(runs) > 1:
        compared = made | without_nan(side_by_side(runs))
        write_report_json(runs[0].path / "compare-runs.json", compared)
        return [
            *describe_runs(compared),
            "",
            f"written      {shown(paths[0] / 'compare-runs.json')}",
        ]
    compared = made | without_nan(compare_arms(runs[0]))
    write_report_json(runs[0].path / "compare.json", compared)
    write_text(runs[0].path / "compare.html", render_comparison(compared))
    return [*describe_arms(compared), "", f"written      {shown(paths[0] / 'compare.html')}"]


def main(arguments: Sequence[str]) -> None:
    """Compare and print."""
    parser = Parser("analysis.compare", __doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="such as runs/demo, or its URI")
    options = parser.parse_args(arguments)
    if not options.runs:
        raise UserError(f"no run was given; allowed: {COMMAND} RUN [RUN ...]")
    first, *others = options.runs
    with working_copy(first) as run:
        paths = [run.path, *(fetched(other, checkpoints=True).path for other in others)]
        lines = compare(paths, f"{COMMAND} {shlex.join(arguments)}", shown=run.shown)
    print(*lines, sep="\n")


if __name__ == "__main__":
    sys.exit(run_main(main))
