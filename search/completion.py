"""`search completion SHELL`: a script that completes commands, flags and file names.

Commands are written into the script; a command's flags are asked of its own --help, which answers
in a fraction of a second, so that they are never out of date.
"""

from collections.abc import Sequence

from trainables.command import SCRIPT
from trainables.errors import UserError

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
