"""From the command line to checked settings; what every entry point does with a fault."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tyro

from search.run_folder import RunFolder
from search.settings import Settings, preset_settings
from trainables.errors import UserError, refuse

# What may change between the sessions of one run: how much, and on what; never the question.
CHANGEABLE = {
    "num_trials", "max_hours", "max_concurrent", "cpus_per_trial", "gpus_per_trial",
    "workers_per_trial", "reserve_trials", "disk_quota", "reuse", "reuse_limit",
    "diagnose", "storage", "name", "resume", "dry_run", "address", "wait_for_gpu",
}  # fmt: skip
# What a run around another run's winner takes over: what its trials occupy, and on what.
OF_THE_RUN = (
    "preset", "data", "train_size", "val_size", "seed", "max_concurrent", "cpus_per_trial",
    "gpus_per_trial", "workers_per_trial", "disk_quota", "reuse", "reuse_limit",
)  # fmt: skip
# The winner's settings that are settings of a run too, by their names there.
OF_THE_WINNER = {
    "backbone": "backbone", "weights": "weights", "resolution": "resolution_px",
    "head_epochs": "head_epochs", "finetune_epochs": "finetune_epochs",
    "batch_size": "batch_size", "precision": "precision",
}  # fmt: skip


def run_main(main: Callable[[Sequence[str]], int | None]) -> int:
    """Run an entry point and return its status (None: 0).

    A fault of the user's becomes its lines on standard error and status 2.
    """
    try:
        return main(sys.argv[1:]) or 0
    except UserError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parse_settings(arguments: Sequence[str], *, prog: str = "python -m search.run") -> Settings:
    """The settings of a run: its preset's (or, to resume, the run's own; or, around another run's
    winner, those of that run) with the flags over them.

    Raises:
        UserError: with all faults at once.
        SystemExit: after --help (0), or a flag that does not parse (2).
    """
    first = _first_look(arguments)
    if first.resume and first.name:
        defaults = _recorded(first)
    else:
        defaults = preset_settings(first.preset) | (_inherited(first) if first.around else {})
    settings = tyro.cli(
        Settings,
        default=Settings(**defaults),
        args=list(arguments),
        prog=prog,
        description="Search for the best two-phase fine-tune: Optuna proposes, Ray trains, ASHA "
        "stops the weak.",
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    if settings.resume:
        refuse(
            f"--{name.replace('_', '-')} is {value!r}, but the run was started with "
            f"{recorded!r}; allowed when resuming: the same; start a new run instead"
            for name, recorded in Settings(**defaults).to_dict().items()
            if name not in CHANGEABLE and (value := settings.to_dict()[name]) != recorded
        )
    return settings


def _first_look(arguments: Sequence[str]) -> argparse.Namespace:
    """The flags that say where the other flags' defaults come from."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--name", default="")
    parser.add_argument("--storage", default="runs")
    parser.add_argument("--around", default="")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_known_args(list(arguments))[0]


def _inherited(first: argparse.Namespace) -> dict[str, Any]:
    """What a run around another run's winner takes over from it, unless told otherwise."""
    run = RunFolder(Path(first.around))
    settings, config = run.read_experiment()["settings"], run.read_best()["config"]
    return {
        **{name: settings[name] for name in OF_THE_RUN if name in settings},
        **{name: config[of_config] for name, of_config in OF_THE_WINNER.items()},
        "storage": str(run.root.parent),
    }


def _recorded(first: argparse.Namespace) -> dict[str, Any]:
    experiment = RunFolder(Path(first.storage) / first.name).read_experiment()
    settings: dict[str, Any] = experiment["settings"]
    return {**settings, "storage": first.storage, "resume": False, "dry_run": False, "address": ""}
