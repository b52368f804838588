"""The forward battery: a stratified sample, every change of it, one table of answers.

Strengths are matched: how strong must one change be to cost as much accuracy as another?
"""

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.perturbations.changes import TILES_OF_32_PX, add_noise, blur, shuffle_tiles
from analysis.perturbations.donors import Images
from analysis.perturbations.treatments import Family, Sample, Treatment, plan
from analysis.perturbations.variants import NO_DONOR, ORIGINAL, Variants
from analysis.run.predict import NotTestable
from analysis.statistics.metrics import FloatArray, IntArray
from trainables.cv2_threads import one_cv2_thread
from trainables.errors import UserError, refuse

Predict = Callable[[Images], npt.NDArray[np.float32]]  # (n, S, S, 3) -> logits (n, K)
BLUR_SIGMAS = (0.4, 0.6, 0.8, 1.1, 1.5, 2.1, 3.0)  # px of a side of 32
NOISE_LEVELS = (6.0, 12.0, 22.0, 36.0, 55.0, 80.0)  # grey levels
CALIBRATION_SHARE = 0.15  # of the sample that severities are matched on
TIMED_IMAGES = 128
SAY_SECONDS = 10.0
SKY_CLASSES = ("airplane", "bird", "ship")
HALF_PAIRS = (("automobile", "truck"), ("airplane", "ship"), ("cat", "dog"))


@dataclass(frozen=True, kw_only=True)
class BatterySettings:
    """What to run; raises UserError with all faults at once.

    Attributes:
        images_per_class: sampled from the test, without replacement; a smaller class gives all.
        num_draws: of donors through the ellipse and for the sky; answers are averaged over them.
        families: of changes.
        sky_classes: that get blue and other frames, where the data have them.
        half_pairs: of classes that lend each other their halves, where the data have both.
        seed: of the sample and of every change.
    """

    images_per_class: int = 200
    num_draws: int = 3
    families: tuple[Family, ...] = get_args(Family)
    sky_classes: tuple[str, ...] = SKY_CLASSES
    half_pairs: tuple[tuple[str, str], ...] = field(default=HALF_PAIRS)
    seed: int = 0

    def __post_init__(self) -> None:
        halved = [name for pair in self.half_pairs for name in pair]
        repeated = {name for name in halved if halved.count(name) > 1}
        refuse(
            f"half_pairs has {name!r} twice; allowed: each class once; remove one pair"
            for name in sorted(repeated)
        )
        refuse(
            f"families has {name!r}; allowed: {', '.join(get_args(Family))}; remove it"
            for name in self.families
            if name not in get_args(Family)
        )
        least = {"images_per_class": 3, "num_draws": 1, "seed": 0}
        refuse(
            f"{name} is {getattr(self, name)}; allowed: {low} or more; raise it"
            for name, low in least.items()
            if getattr(self, name) < low
        )


def run_battery(
    predict: Predict,
    images: Images,
    labels: IntArray,
    class_names: tuple[str, ...],
    settings: BatterySettings,
    *,
    say: Callable[[str], None] = print,
) -> Variants:
    """Every treatment of a stratified sample of the pictures through the model.

    Args:
        predict: logits of pictures, such as `TrainedModel.predict_logits`.
        images: uint8 (N, S, S, 3), S of 16 or more.
        labels: int64 (N,).
        class_names: K names.
        settings: what to run.
        say: gets the estimate, a line a variant, and the time it took.

    Raises:
        UserError: pictures under 16 px, or a model whose logits are not finite.
    """
    if images.shape[1] < 16:
        raise UserError(
            f"pictures are {images.shape[1]} px wide; allowed: 16 or more; choose another data set"
        )
    started = time.perf_counter()
    index = stratified_sample(labels, settings.images_per_class, settings.seed)
    sample = Sample(images=images[index], labels=labels[index], class_names=class_names)
    seconds_each = _seconds_an_image(predict, sample.images)
    severities = _match_severities(predict, sample, settings)
    treatments = _treatments(sample, settings, severities)
    num_images = len(index) + sum(len(treatment.rows) for treatment in treatments)
    say(
        f"battery      {len(treatments) + 1} variants of {len(index):,} pictures, {num_images:,} "
        f"forward passes, about {num_images * seconds_each:.0f} s"
    )
    frames = [_answers(predict, sample, index, _untouched(len(index)), class_names, settings.seed)]
    last_said = 0.0
    for number, treatment in enumerate(treatments, start=2):
        frames.append(_answers(predict, sample, index, treatment, class_names, settings.seed))
        elapsed = time.perf_counter() - started
        if elapsed - last_said >= SAY_SECONDS:
            say(f"             {number} of {len(treatments) + 1} variants, {elapsed:.0f} s")
            last_said = elapsed
    record = {
        "rule": f"up to {settings.images_per_class} pictures a class, drawn without replacement",
        "seed": settings.seed,
        "num_draws": settings.num_draws,
        "num_pictures": len(index),
        "num_forward_passes": num_images,
        "severities": severities,
        "seconds": time.perf_counter() - started,
    }
    return Variants(
        table=pd.concat(frames, ignore_index=True), class_names=class_names, record=record
    )


def stratified_sample(labels: IntArray, images_per_class: int, seed: int) -> IntArray:
    """Rising positions of up to so many pictures of each class, drawn without replacement."""
    rng = np.random.default_rng([seed, 0])
    drawn = [
        rng.permutation(np.flatnonzero(labels == label))[:images_per_class]
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(drawn))


def _treatments(
    sample: Sample, settings: BatterySettings, severities: dict[str, Any]
) -> list[Treatment]:
    present = set(np.array(sample.class_names)[np.unique(sample.labels)])
    return plan(
        sample,
        num_draws=settings.num_draws,
        blur_sigmas={tile: severities[f"blur_as_shuffle_{tile}"] for tile in TILES_OF_32_PX}
        if severities
        else {},
        noise_levels={tile: severities[f"noise_as_shuffle_{tile}"] for tile in TILES_OF_32_PX}
        if severities
        else {},
        families=settings.families,
        sky_classes=tuple(name for name in settings.sky_classes if name in present),
        half_pairs=tuple(pair for pair in settings.half_pairs if set(pair) <= present),
    )


def _match_severities(
    predict: Predict, sample: Sample, settings: BatterySettings
) -> dict[str, float]:
    """Blur (px of 32) and noise (grey levels) that cost as much accuracy as shuffled tiles."""
    if "shape" not in settings.families:
        return {}
    part = sample.select(sample.part(CALIBRATION_SHARE))

    def accuracy(images: Images) -> float:
        return float((predict(images).argmax(axis=1) == part.labels).mean())

    untouched = accuracy(part.images)

    def rng() -> np.random.Generator:
        return np.random.default_rng([settings.seed, 1])

    blurred = measure_drops(lambda px: untouched - accuracy(blur(part.images, px)), BLUR_SIGMAS)
    noisy = measure_drops(
        lambda level: untouched - accuracy(add_noise(part.images, level, rng())), NOISE_LEVELS
    )
    severities = {}
    for tile in TILES_OF_32_PX:
        drop = untouched - accuracy(shuffle_tiles(part.images, tile, rng()))
        severities[f"blur_as_shuffle_{tile}"] = level_for(drop, BLUR_SIGMAS, blurred)
        severities[f"noise_as_shuffle_{tile}"] = level_for(drop, NOISE_LEVELS, noisy)
    return severities


def _untouched(count: int) -> Treatment:
    return Treatment(
        variant=ORIGINAL,
        draw=0,
        rows=np.arange(count),
        change=lambda sample, rng: (sample.images, None),
    )


def _answers(
    predict: Predict,
    sample: Sample,
    index: IntArray,
    treatment: Treatment,
    class_names: tuple[str, ...],
    seed: int,
) -> pd.DataFrame:
    """The table's rows of one treatment; its generator hangs on its name, not on its place."""
    name = treatment.variant.replace("_turned", "_blue")  # the turned frame is the blue one's
    rng = np.random.default_rng([seed, 2, zlib.crc32(name.encode()), treatment.draw])
    part = sample.select(treatment.rows)
    with one_cv2_thread():
        images, donors = treatment.change(part, rng)
    logits = predict(images)
    if not np.isfinite(logits).all():
        raise NotTestable(
            f"the checkpoint's logits of the variant {treatment.variant!r} are not finite"
        )
    return pd.DataFrame(
        {
            "index": index[treatment.rows],
            "label": part.labels,
            "variant": treatment.variant,
            "draw": treatment.draw,
            "donor_label": np.int64(NO_DONOR) if donors is None else part.labels[donors],
            **{f"logit/{name}": logits[:, k] for k, name in enumerate(class_names)},
        }
    )


def _seconds_an_image(predict: Predict, images: Images) -> float:
    """From a timed batch, after one that warms up."""
    batch = images[:TIMED_IMAGES]
    predict(batch[:8])
    started = time.perf_counter()
    predict(batch)
    return (time.perf_counter() - started) / len(batch)


def measure_drops(drop_at: Callable[[float], float], levels: Sequence[float]) -> FloatArray:
    """The loss of accuracy at each level, made to rise: a drop that falls again is noise."""
    return np.maximum.accumulate([max(drop_at(level), 0.0) for level in levels])


def level_for(drop: float, levels: Sequence[float], drops: FloatArray) -> float:
    """The level that costs `drop`, interpolated; the last where none costs as much.

    Args:
        drop: the loss of accuracy to be matched.
        levels: rising, from above 0.
        drops: what each costs, not falling; level 0 costs nothing.
    """
    costs, strengths = np.concatenate([[0.0], drops]), np.concatenate([[0.0], levels])
    # Of equal costs the weakest level stands for all: np.interp wants its abscissae to rise.
    first = np.concatenate([[True], np.diff(costs) > 0])
    return float(np.interp(drop, costs[first], strengths[first]))
