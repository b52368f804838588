"""`python -m analysis.validate`: how good are the detectors?

Trains biased and clean models and scores what is found in them."""

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trainables.command import Parser, run_main
from trainables.errors import refuse

COMMAND = "python -m analysis.validate"
NUM_CLASSES = 10  # of the drawn pictures


OPTIONS = {
    "num_biased": "models with planted shortcuts",
    "num_clean": "models without",
    "train_size": "drawn pictures; a model trains on four fifths of them",
    "images_per_class": "test pictures",
    "processes": "of one thread each",
    "seed": "of the models; the pictures have seeds of their own",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Score the shortcut detectors on models whose shortcuts are known."""

    output: Path = Path("analysis/assets/detectors.json")
    num_biased: int = 10  # models with planted shortcuts
    num_clean: int = 10  # models without
    train_size: int = 2_500  # drawn pictures; a model trains on four fifths of them
    images_per_class: int = 200  # test pictures; the default of the battery
    processes: int = 2  # of one thread each
    seed: int = 0  # of the models; the pictures have seeds of their own

    def check(self) -> None:
        least = {"num_biased": 1, "num_clean": 1, "train_size": 500, "images_per_class": 20}
        refuse(
            f"{name} is {getattr(self, name)}; allowed: {low} or more; leave it out for the default"
            for name, low in {**least, "processes": 1, "seed": 0}.items()
            if getattr(self, name) < low
        )


def validate(options: Options, command: str) -> dict[str, Any]:
    """Train, detect and score; what is written to the file."""
    options.check()

    from analysis.perturbations.battery import BatterySettings
    from analysis.validate.bench import STRENGTHS, draw_pools, recipes, run_bench
    from analysis.validate.detectors import DETECTORS
    from analysis.validate.planted import PLANT_SETS, TEST_SEED, TRAIN_SEED, plants_record
    from analysis.validate.scores import FREE, RELIANT, cells_to_dicts, score

    started = time.monotonic()
    print("drawing the pictures, clean and planted", flush=True)
    num_sets = min(len(PLANT_SETS), options.num_biased)
    pools = draw_pools(
        options.train_size, NUM_CLASSES * options.images_per_class, num_sets, options.processes
    )
    print(f"drawn in {time.monotonic() - started:.0f} s", flush=True)
    settings = BatterySettings(
        images_per_class=options.images_per_class,
        families=tuple(dict.fromkeys(row.changes for row in DETECTORS.values())),
        seed=options.seed,
    )
    cells = run_bench(
        recipes(options.num_biased, options.num_clean, options.seed),
        pools,
        settings,
        num_processes=options.processes,
        say=lambda line: print(line, flush=True),
    )
    return {
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("torch", "numpy", "opencv-python-headless")},
        "seconds": time.monotonic() - started,
        "num_biased": options.num_biased,
        "num_clean": options.num_clean,
        "images_per_class": len(pools.test.labels) // NUM_CLASSES,
        "train_size": len(pools.train.labels) * 4 // 5,
        "seeds": {"models": options.seed, "train": TRAIN_SEED, "test": TEST_SEED},
        "strengths": list(STRENGTHS),
        "plants": [plants_record(number) for number in range(num_sets)],
        "reliant": RELIANT,
        "free": FREE,
        "detectors": {
            name: score([cell for cell in cells if cell.detector == name], row.goals)
            for name, row in DETECTORS.items()
        },
        "cells": cells_to_dicts(cells),
    }


def main(arguments: Sequence[str]) -> None:
    """Validate, write the scores, print a line a detector."""
    parser = Parser("analysis.validate", __doc__)
    add = parser.add_argument
    add("output", type=Path, nargs="?", default=Options.output, help=f"default: {Options.output}")
    for name, text in OPTIONS.items():
        default = getattr(Options, name)
        add(
            f"--{name.replace('_', '-')}",
            type=int,
            default=default,
            metavar="N",
            help=f"{text} (default: {default})",
        )
    options = parser.parse_args(arguments)
    given = {name: getattr(options, name) for name in ("output", *OPTIONS)}
    found = validate(Options(**given), f"{COMMAND} {shlex.join(arguments)}".strip())

    from trainables.storage.files import without_nan, write_report_json

    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_report_json(options.output, without_nan(found))
    for name, scores in found["detectors"].items():
        print(
            f"{name:<11} found {scores['num_found']} of {scores['num_biased']}, "
            f"flagged {scores['num_clean_flagged']} of {scores['num_clean']} clean classes, "
            f"named {scores['num_named']}: {'; '.join(scores['misses']) or 'all goals met'}"
        )


if __name__ == "__main__":
    sys.exit(run_main(main))
