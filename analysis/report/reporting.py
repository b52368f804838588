"""From a run folder to its report: open the sealed test, ask the model, compute, write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.pairs import pairs_section
from analysis.page.figures import pictures
from analysis.perturbations.battery import BatterySettings
from analysis.report.contents import build_report, build_untested_report
from analysis.report.examine import Examined, examine
from analysis.report.page import render_html
from analysis.report.sources import FEW_RESAMPLES, Making
from analysis.run.predict import (
    NotTestable,
    ask_fresh,
    choose_device,
    fresh_checkpoints,
    load_for,
    predict,
    save_predictions,
)
from analysis.run.reader import Run, read_run
from analysis.run.sealed_test import open_test
from analysis.statistics import metrics
from analysis.validate.scores import load_scores
from trainables.data.images import ImageSet
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.models.checkpoints import load_checkpoint
from trainables.storage.files import write_report_json, write_text

MOST_SHOWN_PAIRS = 4  # with evidence sheets, which are large
TEN, FEWEST_CHANGED = 10, 3  # classes that the battery's default is meant for; pictures a class


def write_report(
    run_folder: Path,
    *,
    images_per_class: int,
    device: str,
    batch_size: int,
    num_resamples: int,
    seed: int,
    command: str,
) -> tuple[str, Path]:
    """Make RUN/report/; returns the gate's sentence and the path of the page.

    Args:
        run_folder: of the run.
        images_per_class: test images that the battery changes.
        device: auto, cpu or cuda.
        batch_size: images a forward pass.
        num_resamples: bootstrap draws.
        seed: of the bootstrap, of the samples and of what is changed in them.
        command: the command line that makes the report.

    Raises:
        UserError: the run is damaged, or its data are not there.
    """
    run = read_run(run_folder)
    device = choose_device(device)
    making = Making(
        num_resamples=num_resamples,
        seed=seed,
        command=command,
        device=device,
        scores=load_scores(),
    )
    battery = BatterySettings(
        images_per_class=shared_among(images_per_class, len(run.class_names)), seed=seed
    )
    folder = run.path / "report"
    try:
        examined, pairs = ask(
            run, battery, num_resamples=num_resamples, device=device, batch_size=batch_size
        )
    except NotTestable as fault:
        folder.mkdir(exist_ok=True)
        with timed("statistics"):
            report = build_untested_report(run, fault.reason, making)
        with timed("page"):
            page = render_html(report, {})
    else:
        folder.mkdir(exist_ok=True)
        save_predictions(folder / "predictions.parquet", examined.test, examined.logits)
        examined.variants.save(folder)
        with timed("statistics"):
            report = build_report(run, examined, pairs, making)
        with timed("page"):
            shown = pictures(report, examined.test.images, examined.heat, examined.swapped)
            page = render_html(report, shown)
    write_report_json(folder / "report.json", report)
    write_text(folder / "index.html", page)
    return report["verdict"]["sentence"], folder / "index.html"


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the body took, and how much of a core it had."""
    wall, core = time.perf_counter(), time.process_time()
    yield
    wall, core = time.perf_counter() - wall, time.process_time() - core
    print(f"{what:<12} {wall:.1f} s, {core:.1f} s of them on a core", flush=True)


def ask(
    run: Run, battery: BatterySettings, *, num_resamples: int, device: str, batch_size: int
) -> tuple[Examined, dict[str, Any]]:
    """Open the sealed test and put every question to the checkpoint; also `pairs_section`.

    Whatever can fail does so before the test is opened: an opening cannot be taken back.

    Raises:
        NotTestable: there is no checkpoint, or its answers are no numbers.
        UserError: the checkpoint is damaged, or the data are not there.
    """
    checkpoint = checkpoint_of(run)
    trained = load_for(checkpoint, run.class_names)
    training = load_training(DataSpec.from_dict(run.experiment["data"]))
    others = fresh_checkpoints(run)
    val_logits = predict(trained, training.val, device=device, batch_size=batch_size)
    test = open_test(run, opened_by="analysis.report")
    logits = predict(trained, test, device=device, batch_size=batch_size)
    pairs = pairs_of(
        test, logits, num_resamples=min(num_resamples, FEW_RESAMPLES), seed=battery.seed
    )
    examined = examine(
        trained,
        test,
        logits,
        training.train,
        training.val,
        fresh=ask_fresh(others, run, test, device=device, batch_size=batch_size),
        val_logits=val_logits,
        val_predictions=load_checkpoint(checkpoint).val_predictions.numpy(),
        flagged=flagged_pairs(pairs, run.class_names),
        battery=battery,
        device=device,
        batch_size=batch_size,
    )
    return examined, pairs


def checkpoint_of(run: Run) -> Path:
    """The folder of the winner's checkpoint; NotTestable where there is none."""
    if run.best is None:
        ended = run.trials["status"].value_counts()
        counts = ", ".join(f"{count} {status}" for status, count in ended.items())
        raise NotTestable(f"no trial has finished an epoch ({counts})")
    if run.checkpoint is None:
        raise NotTestable(
            f"the checkpoint of trial {run.best['trial']} is not there ({run.best['checkpoint']})"
        )
    return run.checkpoint


def shared_among(images_per_class: int, num_classes: int) -> int:
    """What ten classes would get, shared among more of them; three a class at the least."""
    return max(images_per_class * min(TEN, num_classes) // num_classes, FEWEST_CHANGED)


def pairs_of(
    test: ImageSet, logits: npt.NDArray[np.float32], *, num_resamples: int, seed: int
) -> dict[str, Any]:
    """Which pairs of classes are confused more than their error rates explain."""
    names = test.class_names
    confusion = metrics.confusion_matrix(test.labels, logits.argmax(axis=1), len(names))
    return pairs_section(confusion, names, num_resamples=num_resamples, seed=seed)


def flagged_pairs(pairs: dict[str, Any], class_names: tuple[str, ...]) -> list[tuple[int, int]]:
    """The clearest of the flagged pairs as class indices."""
    found = [
        (class_names.index(row["first"]), class_names.index(row["second"]))
        for row in pairs["pairs"]
        if row["flagged"]
    ]
    return found[:MOST_SHOWN_PAIRS]
