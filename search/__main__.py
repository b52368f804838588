"""`search COMMAND ...`, and `python -m search COMMAND ...`: all commands under one name.

Each is the entry point of a module that can also be run as `python -m MODULE`; only the one that is
asked for is imported.

`search completion SHELL` prints a script that completes commands, flags and file names. Commands
are written into the script; a command's flags are asked of its own --help, which answers in a
fraction of a second, so that they are never out of date.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from trainables.command import SCRIPT, nearest, run_main
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
FLAGS = r"{script} $command --help 2>/dev/null | grep -oE '\-\-[a-z][a-z-]+' | sort -u"
BASH = """\
_{script}() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" command="${{COMP_WORDS[1]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{commands}" -- "$word"))
  elif [ "${{word#-}}" != "$word" ]; then
    COMPREPLY=($(compgen -W "$({flags})" -- "$word"))
  fi
}}
complete -o default -F _{script} {script}"""
FISH = """\
function __{script}_flags
  set -l command (commandline -opc)[2]
  {flags}
end
complete -c {script} -n __fish_is_first_arg -f -a '{commands}'
complete -c {script} -n 'not __fish_is_first_arg' -a '(__{script}_flags)'"""
SCRIPTS = {
    "bash": BASH,
    "zsh": "autoload -U +X bashcompinit && bashcompinit\n" + BASH,
    "fish": FISH,
}


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
        status: int | None = entry_point(COMMANDS[name][0]).main(rest)
        return status
    else:
        allowed = ", ".join([*COMMANDS, COMPLETION])
        raise UserError(f"command is {name!r}; allowed: {allowed}{nearest(name, COMMANDS)}")
    return None


def entry_point(module: str) -> ModuleType:
    """The module that `python -m MODULE` runs: of a package, its `__main__`."""
    found = find_spec(module)
    is_package = found is not None and found.submodule_search_locations is not None
    return import_module(f"{module}.__main__" if is_package else module)


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


def script(arguments: Sequence[str], commands: Sequence[str]) -> str:
    """The completion script of a shell; UserError where none, or another one, is named."""
    if len(arguments) != 1 or arguments[0] not in SCRIPTS:
        raise UserError(
            f"shell is {' '.join(arguments) or 'not named'}; allowed: {', '.join(SCRIPTS)}; in "
            f'bash: eval "$({SCRIPT} completion bash)"'
        )
    return SCRIPTS[arguments[0]].format(
        script=SCRIPT, commands=" ".join(commands), flags=FLAGS.format(script=SCRIPT)
    )


if __name__ == "__main__":
    sys.exit(console())
