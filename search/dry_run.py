"""`--dry-run`: what a run would be, for people or as JSON."""

import json
import os
import shutil
import textwrap
from dataclasses import fields
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search.interventions.design import InterventionDesign
from search.records.folder import shown
from search.settings.groups import GPUS_AUTO, GROUPS
from search.settings.settings import Settings
from search.tuning.rungs import stopping_epochs
from spaces.registry import NUM_REHEARSALS, Rehearsal

NAME_WIDTH = 22
NOT_SHOWN = ("resume", "dry_run")


def as_json(
    settings: Settings, address: str, rehearsal: Rehearsal, design: InterventionDesign | None
) -> str:
    """The settings by name, the run's address, the space, and with --around its design."""
    contents: dict[str, Any] = {**settings.to_dict(), "run_folder": address}
    if design:
        contents |= {"num_trials": len(design.grid), "interventions": design.to_dict()}
    else:
        contents["dimensions"] = {
            name: {
                "prior": _prior(distribution),
                "values": _values(distribution),
                "asked_in": rehearsal.counts[name] / NUM_REHEARSALS,
            }
            for name, distribution in rehearsal.dimensions.items()
        }
    return json.dumps(contents, indent=2)


def as_text(
    settings: Settings, address: str, rehearsal: Rehearsal, design: InterventionDesign | None
) -> list[str]:
    """Lines: the settings by group, the space, the resources and the steps."""
    defaults = Settings()
    lines = ["settings                (* not the default)"]
    for group in GROUPS:
        lines += ["", f"{(group.__doc__ or '').lower()}"]
        lines += [
            _line(name, _shown(name, getattr(settings, name)), mark=_mark(settings, defaults, name))
            for name in (field.name for field in fields(group))
            if name not in NOT_SHOWN
        ]
    lines += ["", *(_of_design(design) if design else _of_space(settings, rehearsal))]
    lines += ["", *_resources(settings), "", *_steps(settings, address, design)]
    return lines


def _of_space(settings: Settings, rehearsal: Rehearsal) -> list[str]:
    lines = [f"space {settings.space}: {len(rehearsal.dimensions)} dimensions"]
    for name, distribution in rehearsal.dimensions.items():
        share = rehearsal.counts[name] / NUM_REHEARSALS
        often = "" if share == 1 else f"; asked in {share:.0%} of the draws"
        lines.append(_line(name, f"{_values(distribution)} ({_prior(distribution)}{often})"))
    return lines


def _of_design(design: InterventionDesign) -> list[str]:
    return [
        f"interventions on {design.around}",
        _line("aim", f"{' and '.join(design.pair)} ({design.source})"),
        _line("placebo", " and ".join(design.placebo)),
        _line("arms", ", ".join(design.arms)),
        _line("seeds", ", ".join(map(str, design.seeds))),
    ]


def _resources(settings: Settings) -> list[str]:
    workers = settings.workers_per_trial
    gpus = (
        "as its memory allows"
        if settings.gpus_per_trial == GPUS_AUTO
        else (f"{workers * settings.gpus_per_trial:g}")
    )
    where = os.environ.get("RAY_ADDRESS", "")
    at_a_time = settings.max_concurrent or "as many as the cluster holds"
    return [
        "resources",
        _line("a trial", f"cores {workers * settings.cpus_per_trial:g}, GPUs {gpus}"),
        _line("trials at a time", str(at_a_time)),
        _line(
            "cluster",
            f"RAY_ADDRESS={where}"
            if where and where != "local"
            else f"the one that runs here, else this machine's {os.cpu_count()} cores",
        ),
    ]


def _steps(settings: Settings, address: str, design: InterventionDesign | None) -> list[str]:
    epochs = f"{settings.head_epochs} + {settings.finetune_epochs} epochs"
    count = len(design.grid) if design else settings.num_trials
    rungs = ", ".join(map(str, stopping_epochs(settings)))
    judged = f"ASHA stops the weak after {rungs} epochs of phase 2" if rungs else "none is stopped"
    where = shown(address)
    begin = (
        f"go on with {where}" if settings.resume else f"audit {settings.data}, then make {where}"
    )
    return [
        "steps",
        _line("1", begin),
        _line("2", f"{count} trials of {epochs}{'' if design else f'; {judged}'}"),
        _line(
            "3",
            f"name the winner in {where}/best.json"
            if not design
            else f"python -m analysis.compare {where} judges the arms",
        ),
        "",
        "Nothing was written. Without --dry-run this is done.",
    ]


def _prior(distribution: BaseDistribution) -> str:
    if isinstance(distribution, FloatDistribution | IntDistribution):
        return "log-uniform" if distribution.log else "uniform"
    return "uniform over the choices"


def _values(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(str, distribution.choices))
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    step = f" in steps of {distribution.step:g}" if distribution.step else ""
    return f"{distribution.low:g} to {distribution.high:g}{step}"


def _shown(name: str, value: object) -> str:
    if name == "gpus_per_trial" and value == GPUS_AUTO:
        return "auto"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return str(value) or "-"


def _mark(settings: Settings, defaults: Settings, name: str) -> str:
    return "" if getattr(settings, name) == getattr(defaults, name) else " *"


def _line(name: str, text: str, *, mark: str = "") -> str:
    return textwrap.fill(
        f"{name.replace('_', ' '):<{NAME_WIDTH}}{text}{mark}",
        width=shutil.get_terminal_size().columns,
        initial_indent="  ",
        subsequent_indent=" " * (NAME_WIDTH + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
