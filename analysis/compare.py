"""One run's interventions judged, or several runs side by side."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis.compare_page import render_comparison
from analysis.compare_text import describe_arms, describe_runs
from analysis.files import without_nan, write_json, write_text
from analysis.interventions_run import compare_arms
from analysis.run_reader import read_run
from analysis.side_by_side import side_by_side
from trainables.errors import UserError
from trainables.remote.working_copy import fetched, working_copy

COMMAND = "python -m analysis.compare"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run: the verdict on each of its interventions, in RUN/compare.json and RUN/compare.html.

    Several runs: their winners side by side, in compare-runs.json of the first.
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]  # that search.run made: folders or URIs


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
    runs = [read_run(path.absolute()) for path in paths]
    made: dict[str, Any] = {"format_version": FORMAT_VERSION, "command": command}
    if len(runs) > 1:
        compared = made | without_nan(side_by_side(runs))
        write_json(runs[0].path / "compare-runs.json", compared)
        return [
            *describe_runs(compared),
            "",
            f"written      {shown(paths[0] / 'compare-runs.json')}",
        ]
    compared = made | without_nan(compare_arms(runs[0]))
    write_json(runs[0].path / "compare.json", compared)
    write_text(runs[0].path / "compare.html", render_comparison(compared))
    return [*describe_arms(compared), "", f"written      {shown(paths[0] / 'compare.html')}"]


def main() -> None:
    try:
        options = tyro.cli(Options, prog=COMMAND)
        if not options.runs:
            raise UserError(f"no run was given; allowed: {COMMAND} RUN [RUN ...]")
        first, *others = options.runs
        with working_copy(first) as run:
            paths = [run.path, *(fetched(other, checkpoints=True).path for other in others)]
            command = f"{COMMAND} {shlex.join(sys.argv[1:])}"
            lines = compare(paths, command, shown=run.shown)
    except UserError as error:
        print(*(f"error: {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        sys.exit(2)
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
