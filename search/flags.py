"""The settings' names and types, as they are asked of a command line and of a settings file."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from search.settings.groups import GPUS_AUTO, flag_of
from search.settings.settings import Settings
from trainables.command import nearest
from trainables.errors import UserError, refuse

TYPES: dict[str, type] = get_type_hints(Settings)
ALLOWED = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
NOT_IN_A_FILE = ("resume", "dry_run")  # of one call, not of a run


def word_faults(words: Sequence[str], of_the_call: Mapping[str, type]) -> Iterator[str]:
    """What is wrong with the words of a command line, one fault a word.

    Args:
        words: such as "--seed", "3", "--data=synthetic", "--no-diagnose".
        of_the_call: flags beside the settings, by name.
    """
    types = {flag_of(name): kind for name, kind in (TYPES | dict(of_the_call)).items()}
    switches = [n for n, kind in TYPES.items() if kind is bool and n not in NOT_IN_A_FILE]
    types |= {flag_of(f"no_{name}"): bool for name in switches}
    left = list(words)
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        flag = flag.replace("_", "-")
        if flag not in types:
            yield f"{word} is unknown; allowed: what --help lists{nearest(flag, types)}"
            while left and not left[0].startswith("-"):
                left.pop(0)
        elif types[flag] is bool:
            if equals:
                yield f"{word} has a value; allowed: {flag} alone"
        elif not equals and (not left or left[0].startswith("--")):
            yield f"{flag} came without a value; allowed: {_allowed(flag, types[flag])}"
        else:
            value = value if equals else left.pop(0)
            if not _is_readable(flag, types[flag], value):
                yield f"{flag} is {value!r}; allowed: {_allowed(flag, types[flag])}"


def read_settings_file(path: Path) -> dict[str, Any]:
    """The settings of a TOML file, by name.

    Raises:
        UserError: the file cannot be read, or with all that is unknown or of another type.
    """
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"--config {path} cannot be read ({error}); allowed: a TOML file of settings, such as "
            "num-trials = 9"
        ) from error
    values = {key.replace("-", "_"): value for key, value in values.items()}
    refuse(f"--config {path}: {fault}" for fault in _value_faults(values))
    return {name: _converted(name, value) for name, value in values.items()}


def _value_faults(values: Mapping[str, Any]) -> Iterator[str]:
    known = [name for name in TYPES if name not in NOT_IN_A_FILE]
    for name, value in values.items():
        key = name.replace("_", "-")
        if name in NOT_IN_A_FILE:
            yield f"{key} is of one call; allowed: {flag_of(name)} on the command line"
        elif name not in known:
            names = [other.replace("_", "-") for other in known]
            yield f"{key} is unknown; allowed: the names of the flags{nearest(key, names)}"
        elif isinstance(value, dict):
            yield f"{key} is a table; allowed: {key} = {_allowed(flag_of(name), TYPES[name])}"
        elif not _fits(name, value):
            yield f"{key} is {value!r}; allowed: {_allowed(flag_of(name), TYPES[name])}"


def _fits(name: str, value: object) -> bool:
    if name == "gpus_per_trial" and value == "auto":
        return True
    kind = TYPES[name]
    wanted = (int, float) if kind is float else kind
    return isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))


def _converted(name: str, value: Any) -> Any:
    if name == "gpus_per_trial" and value == "auto":
        return GPUS_AUTO
    return float(value) if TYPES[name] is float else value


def _is_readable(flag: str, kind: type, text: str) -> bool:
    if flag == "--gpus-per-trial" and text == "auto":
        return True
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _allowed(flag: str, kind: type) -> str:
    return ALLOWED[kind] + (", or auto" if flag == "--gpus-per-trial" else "")
