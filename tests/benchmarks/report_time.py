"""What the statistics and the page of a report cost beside the model's forward passes.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.report_time RUN [--num-test 10000]

RUN is a run folder, for its record of a search. The model is a logistic regression on pictures of
8 x 8 px, so that the table of changed pictures has its true size (200 pictures a class, every
treatment) and the errors have patterns; heat maps are random. Printed for each part: wall
seconds and seconds on a core.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from analysis.attribution_section import Explained
from analysis.battery import BatterySettings, run_battery
from analysis.contents import Making, build_report
from analysis.evidence import HeatMaps, choose_errors, indices_of
from analysis.examine import Examined, swapped_backgrounds
from analysis.fresh_models import FreshAnswers
from analysis.render import render_html
from analysis.reporting import pairs_of, timed
from analysis.run_reader import read_run
from analysis.validate import load_scores
from trainables.data.images import ImageSet
from trainables.data.synthetic import draw

CELLS, GRID, NUM_EXPLAINED, NUM_TRAIN = 8, 8, 100, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--num-test", type=int, default=10_000)
    options = parser.parse_args()
    run = read_run(options.run)
    drawn = draw(NUM_TRAIN + options.num_test, seed=0)
    images, labels = drawn.images, drawn.labels
    test = ImageSet(
        images=images[NUM_TRAIN:], labels=labels[NUM_TRAIN:], class_names=run.class_names
    )
    model = LogisticRegression(max_iter=100).fit(small(images[:NUM_TRAIN]), labels[:NUM_TRAIN])

    def predict(pictures: np.ndarray) -> np.ndarray:
        return model.decision_function(small(pictures)).astype(np.float32)

    examined = examine(test, predict)
    making = Making(
        num_resamples=10_000, seed=0, command="benchmark", device="cpu", scores=load_scores()
    )
    with timed("pairs"):
        pairs = pairs_of(test, examined.logits, num_resamples=2_000, seed=0)
    with timed("statistics"):
        report = build_report(run, examined, pairs, making)
    with timed("page"):
        page = render_html(report, examined)
    print(f"{len(examined.variants.table):,} rows of answers, page of {len(page) / 1e6:.1f} MB")


def examine(test: ImageSet, predict: Callable[[np.ndarray], np.ndarray]) -> Examined:
    """What `analysis.examine` asks of a network, with maps at random."""
    rng = np.random.default_rng(0)
    logits, names = predict(test.images), test.class_names
    flagged = [(0, 8), (8, 0), (3, 5), (5, 3)]
    errors = choose_errors(test.labels, logits, flagged, seed=0)
    shown = indices_of(errors)
    swapped = swapped_backgrounds(test, shown, logits[shown].argmax(axis=1), seed=0)
    maps = rng.normal(size=(3, NUM_EXPLAINED, GRID, GRID))
    heat = rng.normal(size=(2, len(shown), GRID, GRID))
    return Examined(
        test=test,
        logits=logits,
        variants=run_battery(
            predict, test.images, test.labels, names, BatterySettings(), say=lambda line: None
        ),
        explained=[
            Explained(
                method="HiResCAM",
                place=place,
                predictions=np.arange(NUM_EXPLAINED) % len(names),
                maps=maps[0],
                of_random_weights=maps[1],
                of_random_channels=maps[2],
                starts=np.arange(GRID) / GRID,
                width=1 / GRID,
                road_gains=rng.normal(size=NUM_EXPLAINED),
            )
            for place in ("layer2", "layer3", "layer4")
        ],
        train_right=rng.random(2_000) < 0.95,
        val_right=rng.random(2_000) < 0.85,
        fresh=FreshAnswers(
            trial=0, seeds=(1000, 1001, 1002), predictions=(logits.argmax(axis=1),) * 3
        ),
        val_labels=np.arange(2_000) % len(names),
        val_predictions=rng.integers(0, len(names), (20, 2_000)),
        errors=errors,
        heat=HeatMaps(
            method="HiResCAM", place="layer2", indices=shown, predicted=heat[0], true=heat[1]
        ),
        swapped=swapped,
        swapped_logits={name: predict(pictures) for name, pictures in swapped.items()},
    )


def small(pictures: np.ndarray) -> np.ndarray:
    """Mean colours of 8 x 8 cells, (N, 192)."""
    count, side = len(pictures), pictures.shape[1] // CELLS
    cells = pictures.reshape(count, CELLS, side, CELLS, side, 3)
    return cells.mean(axis=(2, 4)).reshape(count, -1) / 255


if __name__ == "__main__":
    main()
