"""What all commands have in common: how they are called, and what becomes of a fault.

Status 0: done. 1: a failure while running. 2: the input is refused, and nothing was begun. 130: the
user has stopped it (143: by SIGTERM). A fault is one line on standard error, more with --debug.
"""

import argparse
import difflib
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from trainables.errors import UserError

SCRIPT = "search"  # the console script; `search confirm` is `python -m search.confirm`
DEBUG = "--debug"
SIGNALLED = 128  # a process that a signal ended has this and the signal's number as its status


class Stopped(KeyboardInterrupt):
    """The user has stopped the run with a signal; the text says how far it is and how to go on."""

    def __init__(self, text: str, *, signum: int) -> None:
        super().__init__(text)
        self.signum = signum


def run_main(main: Callable[[Sequence[str]], int | None]) -> int:
    """Run an entry point and return its status (None: 0); see the head of this file."""
    try:
        return main(sys.argv[1:]) or 0
    except UserError as error:
        _show_traceback()
        for fault in error.faults:
            _tell("error", fault)
        return error.status
    except KeyboardInterrupt as stop:
        _tell("stopped", str(stop) or "by Ctrl-C")
        return SIGNALLED + getattr(stop, "signum", signal.SIGINT)
    except Exception as error:
        _show_traceback()
        first = str(error).strip().partition("\n")[0]
        _tell(
            "error",
            f"{type(error).__name__}: {first or 'no message'}; this was not foreseen; the same "
            f"command with {DEBUG} shows where it happened",
        )
        return 1


def called_as(module: str) -> str:
    """How a command was called: `search confirm`, or `python -m search.confirm`."""
    if Path(sys.argv[0]).name == SCRIPT:
        return f"{SCRIPT} {module.rpartition('.')[2].replace('_', '-')}"
    return f"python -m {module}"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """ "; did you mean --seed?", or nothing where no name is near."""
    found = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {found[0]}?" if found else ""


class Parser(argparse.ArgumentParser):
    """An argparse parser of the command `module` whose faults are one line.

    Raises:
        UserError: instead of argparse's usage and exit.
    """

    def __init__(self, module: str, description: str | None) -> None:
        super().__init__(
            prog=called_as(module),
            description=_without_command(description or ""),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument(DEBUG, action="store_true", help="show a traceback where it fails")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does; what is unknown is refused with the nearest flag."""
        options, unknown = self.parse_known_args(args, namespace)
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        if unknown:
            raise UserError(
                *(
                    f"{word} is unknown; allowed: what {self.prog} --help lists"
                    f"{nearest(word.partition('=')[0], flags)}"
                    for word in unknown
                    if word.startswith("-") or unknown[0] == word
                )
            )
        return options

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; allowed: what {self.prog} --help lists")


def _without_command(description: str) -> str:
    """A module's docstring as a description: without the command, which the usage shows."""
    return re.sub(r"^`[^`]*`: (\w)", lambda found: found[1].upper(), description.strip())


def _tell(kind: str, text: str) -> None:
    print(f"{kind}: {' '.join(text.splitlines())}", file=sys.stderr)


def _show_traceback() -> None:
    if DEBUG in sys.argv:
        traceback.print_exc()
