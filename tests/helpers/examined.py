"""What a made-up model answered, for pages and sections of a whole report."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from analysis.heat_maps.evidence import HeatMaps
from analysis.heat_maps.section import Explained
from analysis.page.figures import pictures
from analysis.perturbations.battery import BatterySettings, run_battery
from analysis.perturbations.variants import Variants
from analysis.report.contents import build_report
from analysis.report.examine import Examined
from analysis.report.page import render_html
from analysis.report.reporting import pairs_of
from analysis.report.sources import Making
from analysis.run.predict import FreshAnswers
from analysis.run.reader import read_run
from trainables.data.images import ImageSet

SIDE_PX, CELLS = 16, 7


def make_examined(labels: np.ndarray, logits: np.ndarray, class_names: tuple[str, ...]) -> Examined:
    """A small battery on drawn pictures, maps at random, no errors to show."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(labels), SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    nothing = np.empty((0, CELLS, CELLS))
    return Examined(
        test=ImageSet(images=images, labels=labels, class_names=class_names),
        logits=logits,
        variants=variants_of(labels.tobytes(), images.tobytes(), class_names),
        explained=[explained("HiResCAM", rng, len(class_names))],
        train_right=rng.random(400) < 0.95,
        val_right=rng.random(400) < 0.85,
        fresh=FreshAnswers(reason="the run was not confirmed"),
        val_labels=np.arange(200) % len(class_names),
        val_predictions=rng.integers(0, len(class_names), (15, 200)),
        errors=[],
        heat=HeatMaps(
            method="HiResCAM",
            place="layer2",
            indices=np.empty(0, np.int64),
            predicted=nothing,
            true=nothing,
        ),
        swapped={},
        swapped_logits={},
    )


def report_on(
    folder: Path, labels: np.ndarray, logits: np.ndarray, *, num_resamples: int = 200
) -> dict[str, Any]:
    """A whole report on a made-up run, as report.json has it."""
    run = read_run(folder)
    examined = make_examined(labels, logits, run.class_names)
    making = making_of(num_resamples)
    report = build_report(run, examined, pairs_of(examined.test, logits, **making.draws), making)
    return json.loads(json.dumps(report, allow_nan=False))


def making_of(num_resamples: int = 200) -> Making:
    return Making(
        num_resamples=num_resamples,
        seed=0,
        command="python -m analysis.report runs/made-up",
        device="cpu",
        scores=None,
    )


def page_of(report: dict[str, Any]) -> str:
    """The page of a report that `make_examined` is behind."""
    names = tuple(report["confusion"]["class_names"])
    labels = np.zeros(report["confusion"]["num_images"], np.int64)
    examined = make_examined(labels, np.zeros((len(labels), len(names))), names)
    return render_html(
        report, pictures(report, examined.test.images, examined.heat, examined.swapped)
    )


@cache
def variants_of(labels: bytes, images: bytes, class_names: tuple[str, ...]) -> Variants:
    """The battery of a model that tells classes by the brightness of one pixel."""

    def predict(pictures: np.ndarray) -> np.ndarray:
        marked = pictures[:, 0, 0, 0].astype(int) * len(class_names) // 256
        return np.eye(len(class_names), dtype=np.float32)[marked]

    return run_battery(
        predict,
        np.frombuffer(images, np.uint8).reshape(-1, SIDE_PX, SIDE_PX, 3),
        np.frombuffer(labels, np.int64),
        class_names,
        BatterySettings(images_per_class=3, num_draws=1),
        say=lambda _: None,
    )


def explained(method: str, rng: np.random.Generator, num_classes: int) -> Explained:
    maps = rng.normal(size=(3, 12, CELLS, CELLS))
    return Explained(
        method=method,
        place="layer2",
        predictions=np.arange(12) % num_classes,
        maps=maps[0],
        of_random_weights=maps[1],
        of_random_channels=maps[2],
        starts=np.arange(CELLS) / CELLS,
        width=1 / CELLS,
        road_gains=rng.normal(size=12),
    )
