"""`search COMMAND ...`, and `python -m search COMMAND ...`: all commands under one name.

Each is the entry point of a module that can also be run as `python -m MODULE`; only the one that is
asked for is imported.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from search.completion import script
from trainables.command import nearest, run_main
from trainables.errors import UserError

COMMANDS = {
    "run": ("search.run", "the search; --help lists its settings, --dry-run shows them"),
    "plan": ("search.plan", "what a search would take in time and money"),
    "lr-find": ("search.lr_find", "a short sweep that suggests the peak rate"),
    "confirm": ("search.confirm", "RUN's best again with fresh seeds: a winner or a tie"),
    "export": ("search.export", "RUN's winner as a folder to ship"),
    "report": ("analysis.report", "opens RUN's sealed test and explains the winner"),
    "compare": ("analysis.compare", "RUN's interventions judged, or runs side by side"),
    "replay": ("search.replay", "asks RUN's search again and compares every decision"),
    "rerun": ("search.rerun", "trains a trial of RUN again and compares every epoch"),
    "doctor": ("search.doctor", "what would keep a search from running, on every node"),
    "serve": ("search.serve", "an exported model over HTTP, by Ray Serve"),
    "predict": ("trainables.predict", "what an exported model says of pictures"),
    "pretrain": ("trainables.pretrain", "trains a small backbone from nothing"),
    "audit": ("trainables.data.audit", "checks pictures and splits, as the search does first"),
    "validate": ("analysis.validate", "scores the report's detectors on known shortcuts"),
}
COMPLETION = "completion"


def main(arguments: Sequence[str]) -> int | None:
    """Hand over to the command and return its status; UserError for one that is not there."""
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        print("\n".join(overview()))
    elif name == COMPLETION:
        print(script(rest, [*COMMANDS, COMPLETION]))
    elif name in COMMANDS:
        sys.path.insert(0, os.getcwd())  # as `python -m` does, for --space module:function
        sys.argv[1:] = rest
        status: int | None = import_module(COMMANDS[name][0]).main(rest)
        return status
    else:
        allowed = ", ".join([*COMMANDS, COMPLETION])
        raise UserError(f"command is {name!r}; allowed: {allowed}{nearest(name, COMMANDS)}")
    return None


def overview() -> list[str]:
    """The commands, a line each."""
    lines = ["usage: search COMMAND ...", ""]
    lines += [f"  {name:<11} {text}" for name, (_, text) in COMMANDS.items()]
    lines += [f"  {COMPLETION:<11} prints the completion script of bash, zsh or fish", ""]
    return [
        *lines,
        "search COMMAND --help tells more.",
    ]


def console() -> int:
    """The console script."""
    return run_main(main)


if __name__ == "__main__":
    sys.exit(console())
