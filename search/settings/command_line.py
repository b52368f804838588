"""From the command line, or a settings file, to checked settings."""

import argparse
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import tyro

from search.records.folder import RunFolder, join
from search.settings.groups import (
    GPUS_AUTO,
    DataSettings,
    InterventionSettings,
    ModelSettings,
    ResourceSettings,
    RunSettings,
    SearchSettings,
    Switch,
    Text,
    flag_of,
)
from search.settings.settings import Settings, preset_settings
from trainables.command import called_as, nearest
from trainables.errors import UserError, refuse
from trainables.models.run_weights import recorded_name, weights_of_run

# What may change between the sessions of one run: how much, and on what; never the question.
CHANGEABLE = {
    "num_trials", "max_hours", "max_concurrent", "cpus_per_trial", "gpus_per_trial",
    "workers_per_trial", "reserve_trials", "disk_quota", "reuse", "reuse_limit",
    "diagnose", "storage", "name", "resume", "dry_run", "address", "wait_for_gpu",
}  # fmt: skip
# What a run around another run's winner takes over: what its trials occupy, and on what.
OF_THE_RUN = (
    "preset", "data", "organic", "rigid", "base_px", "held_out", "train_size", "val_size", "seed",
    "max_concurrent", "cpus_per_trial", "gpus_per_trial", "workers_per_trial", "disk_quota",
    "reuse", "reuse_limit",
)  # fmt: skip
# The winner's settings that are settings of a run too, by their names there.
OF_THE_WINNER = {
    "backbone": "backbone", "weights": "weights", "resolution": "resolution_px",
    "head_epochs": "head_epochs", "finetune_epochs": "finetune_epochs",
    "batch_size": "batch_size", "precision": "precision",
}  # fmt: skip
CALL_TYPES: dict[str, type] = {"config": str, "json": bool, "debug": bool}
HELP_FLAGS = ("-h", "--help", "--tyro-print-completion", "--tyro-write-completion")
TYPES: dict[str, type] = get_type_hints(Settings)
ALLOWED = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
NOT_IN_A_FILE = ("resume", "dry_run")  # of one call, not of a run


@dataclass(frozen=True, kw_only=True)
class Call:
    """This call"""

    config: Text = ""
    """a TOML file of settings by the names of the flags; flags go over it"""
    json: Switch = False
    """with --dry-run: as JSON"""
    debug: Switch = False
    """show a traceback where it fails"""


@dataclass(frozen=True, kw_only=True)
class _Flags:
    """The search for the best two-phase fine-tune."""

    run: RunSettings
    data: DataSettings
    model: ModelSettings
    search: SearchSettings
    intervention: InterventionSettings
    resource: ResourceSettings
    call: Call


def parse_settings(arguments: Sequence[str], *, module: str = "search.run") -> Settings:
    """The settings alone; see `parse_call`."""
    return parse_call(arguments, module=module)[0]


def parse_call(arguments: Sequence[str], *, module: str = "search.run") -> tuple[Settings, Call]:
    """The settings of a run: its preset's (or, to resume, the run's own; or, around another run's
    winner, those of that run), the settings file's over them, the flags over all.

    Raises:
        UserError: with all faults at once.
        SystemExit: after --help (0).
    """
    if not set(HELP_FLAGS) & set(arguments):
        refuse(word_faults(arguments, CALL_TYPES))
    first = _first_look(arguments)
    in_file = read_settings_file(Path(first.config)) if first.config else {}
    for name in ("preset", "name", "storage", "around"):
        if getattr(first, name) is None:
            setattr(first, name, in_file.get(name, getattr(Settings, name)))
    if first.weights is None:
        first.weights = in_file.get("weights", "")
    if first.resume and first.name:
        recorded = _recorded(first)
    else:
        recorded = preset_settings(first.preset) | (_inherited(first) if first.around else {})
    flags = _parse(arguments, recorded | in_file, called_as(module))
    groups = [group for name, group in vars(flags).items() if name != "call"]
    values = {name: value for group in groups for name, value in vars(group).items()}
    if values["resume"] and values["name"]:
        values["weights"] = recorded["weights"]  # what was given is the same (`_recorded`)
    settings = Settings(**values)
    if settings.resume:
        refuse(
            f"{flag_of(name)} is {value!r}, but the run was started with "
            f"{before!r}; allowed when resuming: the same; start a new run instead"
            for name, before in Settings(**recorded).to_dict().items()
            if name not in CHANGEABLE and (value := settings.to_dict()[name]) != before
        )
    return settings, flags.call


def _parse(arguments: Sequence[str], defaults: dict[str, Any], prog: str) -> _Flags:
    groups = {
        name: kind(**{field.name: defaults[field.name] for field in fields(kind)})
        for name, kind in get_type_hints(_Flags).items()
        if name != "call"
    }
    return tyro.cli(
        _Flags,
        default=_Flags(**groups, call=Call()),
        args=list(arguments),
        prog=prog,
        config=(tyro.conf.OmitArgPrefixes,),
    )


def _first_look(arguments: Sequence[str]) -> argparse.Namespace:
    """The flags that say where the other flags' defaults come from."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("--preset", "--name", "--storage", "--around", "--weights", "--config"):
        parser.add_argument(flag)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_known_args(list(arguments))[0]


def _inherited(first: argparse.Namespace) -> dict[str, Any]:
    """What a run around another run's winner takes over from it, unless told otherwise."""
    run = RunFolder.at(first.around)
    settings, config = run.read_experiment()["settings"], run.read_best()["config"]
    return {
        **{name: settings[name] for name in OF_THE_RUN if name in settings},
        **{name: config[of_config] for name, of_config in OF_THE_WINNER.items()},
        "weights": _weights_of_winner(run, config["weights"], first.weights),
        "storage": str(run.root.parent),
    }


def _weights_of_winner(run: RunFolder, name: str, given: str) -> str:
    """What the winner was trained on, unless other weights were given."""
    if given or name != recorded_name(run.root):
        return given or name
    return weights_of_run(run.root)


def _recorded(first: argparse.Namespace) -> dict[str, Any]:
    """The run's own settings, with its weights by where they are loaded from now."""
    run = RunFolder.at(join(first.storage, first.name))
    settings: dict[str, Any] = run.read_experiment()["settings"]
    return {
        **settings,
        "weights": weights_of_run(run.root, first.weights),
        "storage": first.storage,
        "resume": False,
        "dry_run": False,
        "address": "",
    }


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
