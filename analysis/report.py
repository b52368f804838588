"""Open the sealed test once and explain the winner: RUN/report/index.html and report.json."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from analysis.contents import build_report
from analysis.files import write_json, write_text
from analysis.predict import choose_device, load_for, predict, save_predictions
from analysis.render import render_html
from analysis.run_reader import read_run
from analysis.sealed_test import open_test
from analysis.statistics import NUM_RESAMPLES
from trainables.errors import UserError, refuse

COMMAND = "python -m analysis.report"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Report on a run's best checkpoint, on the test images that the search has never seen."""

    run: Annotated[Path, tyro.conf.Positional]  # folder that `python -m search.run` made
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto takes a GPU when there is one
    batch_size: int = 256  # images a forward pass
    num_resamples: int = NUM_RESAMPLES  # bootstrap draws behind each interval
    seed: int = 0  # of the bootstrap

    def check(self) -> None:
        least = {"batch_size": 1, "num_resamples": 100, "seed": 0}
        refuse(
            f"{name} is {getattr(self, name)}; allowed: {low} or more; leave it out for the default"
            for name, low in least.items()
            if getattr(self, name) < low
        )


def write_report(options: Options, command: str) -> tuple[str, Path]:
    """Make the report; returns the gate's sentence and the path of the page."""
    options.check()
    run = read_run(options.run)
    # Whatever can fail does so before the test is opened: an opening cannot be taken back.
    trained = load_for(run.checkpoint, run.class_names)
    device = choose_device(options.device)
    test = open_test(run, opened_by="analysis.report")
    logits = predict(trained, test, device=device, batch_size=options.batch_size)
    folder = run.path / "report"
    folder.mkdir(exist_ok=True)
    save_predictions(folder / "predictions.parquet", test, logits)
    report = build_report(
        run,
        test.labels,
        logits,
        num_resamples=options.num_resamples,
        seed=options.seed,
        command=command,
        device=device,
    )
    write_json(folder / "report.json", report)
    write_text(folder / "index.html", render_html(report))
    return report["verdict"]["sentence"], folder / "index.html"


def main() -> None:
    try:
        options = tyro.cli(Options, prog=COMMAND)
        sentence, page = write_report(options, f"{COMMAND} {shlex.join(sys.argv[1:])}")
    except UserError as error:
        print(*(f"error: {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        sys.exit(2)
    print(sentence, page, sep="\n")


if __name__ == "__main__":
    main()
