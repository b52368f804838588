"""From the command line to checked settings."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import tyro

from search.flags import read_settings_file, word_faults
from search.run_folder import RunFolder, join
from search.setting_groups import (
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
from search.settings import Settings, preset_settings
from trainables.command import called_as
from trainables.errors import refuse
from trainables.run_weights import recorded_name, weights_of_run

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


@dataclass(frozen=True, kw_only=True)
class Call:
    """This call"""

    config: Text = ""
    """a TOML file of settings by the names of the flags; flags go over it"""
    json: Switch = False
    """with --dry-run: as JSON"""
    debug: Switch = False
    """show a traceback where it fails"""


CALL_TYPES: dict[str, type] = {"config": str, "json": bool, "debug": bool}
HELP_FLAGS = ("-h", "--help", "--tyro-print-completion", "--tyro-write-completion")


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
