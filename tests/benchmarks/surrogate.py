"""A model of the recorded trials: learning curves for configurations that were never trained.

A random forest a phase maps the parameters that a study chose to that phase's curve; phase 1 knows
nothing of the parameters that only phase 2 uses. Two trainings of one configuration differ far less
than the forests miss a configuration by, so what they miss belongs to the configuration: a new one
gets the forests' curve plus what each misses of the recorded trial most like it. At a recorded
configuration that is the recorded curve itself, so curves cross as the recorded ones do. Noise is
what two trainings of one configuration differ by.

The other reading, all that the forests miss out of bag is noise, is there for comparison.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau
from sklearn.ensemble import RandomForestRegressor

from trainables.config import FineTuneConfig

RECORDED = Path(__file__).with_name("recorded_trials.parquet")
SPACE = "full"
# What the recorded trials start from: the defaults of their day, with the net embedded then.
BASE = FineTuneConfig(
    resolution_px=32,
    head_epochs=2,
    finetune_epochs=8,
    batch_size=64,
    head_lr=3e-3,
    backbone_lr_ratio=0.3,
    layer_decay=1.0,
    batchnorm="train",
    label_smoothing=0.0,
    ema_decay=0.0,
)
HEAD_EPOCHS = BASE.head_epochs
NUM_TREES = 100
ALIKE = 15  # trials, predicted alike, whose misses are a simulated trial's noise
ANY_DEPTH = ""
# A frozen backbone has no depth and no rate; weights are averaged in phase 2 only.
PHASE_2_ONLY = frozenset(
    {"unfreeze", "unfreeze_mode", "backbone_lr_ratio", "layer_decay", "batchnorm", "ema_decay"}
    | {"early_stopping_epochs"}
)
PARAMS, VALUES, SECONDS = "params/", "val_macro_f1/", "seconds/"

FloatArray = npt.NDArray[np.float64]
Noise = Literal["repeats", "residuals"]


class PhaseModel:
    """A forest for one phase's part of the curves.

    Args:
        recorded: parameters of the recorded trials.
        curves: their values in this phase, shape (trials, epochs).
        ignored: names of parameters that play no part in the phase.
    """

    def __init__(
        self, recorded: list[dict[str, Any]], curves: FloatArray, ignored: frozenset[str]
    ) -> None:
        self._names = sorted({name for params in recorded for name in params} - ignored)
        self._levels = {
            name: sorted(texts)
            for name in self._names
            if (texts := {p[name] for p in recorded if isinstance(p.get(name), str)})
        }
        self._forest = RandomForestRegressor(
            n_estimators=NUM_TREES, max_features=0.5, oob_score=True, random_state=0
        )
        encoded = np.stack([self.encoded(params) for params in recorded])
        self._forest.fit(encoded, curves)
        self._leaves = self._forest.apply(encoded)  # (trials, trees)
        self._misses = curves - self._forest.predict(encoded)
        self.out_of_bag: FloatArray = self._forest.oob_prediction_

    def encoded(self, params: dict[str, Any]) -> FloatArray:
        """Numbers as they are (trees need no scale), categories one-hot, -1 where not asked."""
        values: list[float] = []
        for name in self._names:
            if name in self._levels:
                values += [float(params.get(name) == level) for level in self._levels[name]]
            else:
                values.append(float(params.get(name, -1.0)))
        return np.array(values)

    def curves(self, many: list[dict[str, Any]], *, add_misses: bool) -> FloatArray:
        """Shape (N, epochs); with the misses of the trial that shares most leaves, or without."""
        encoded = np.stack([self.encoded(params) for params in many])
        mean = np.asarray(self._forest.predict(encoded))
        if not add_misses:
            return mean
        leaves = self._forest.apply(encoded)
        likeness = np.stack([(row == self._leaves).mean(axis=1) for row in leaves])
        return mean + self._misses[likeness.argmax(axis=1)]


class Surrogate:
    """Curves, their cost, and their truth, by the parameters of a trial.

    Args:
        table: as `tests.benchmarks.record_trials` writes it.
        noise: "repeats", that of two trainings; "residuals", all that the forests miss.
    """

    def __init__(self, table: pd.DataFrame, *, noise: Noise = "repeats") -> None:
        first = table[table["seed"] == table["seed"].min()].reset_index(drop=True)
        self.curves = recorded_curves(first)
        self.repeats = repeat_differences(table) / np.sqrt(2)
        self.noise = noise
        parameters = first.filter(like=PARAMS).rename(columns=lambda name: name[len(PARAMS) :])
        self.recorded_params = [
            {name: value for name, value in row.items() if not pd.isna(value)}
            for row in parameters.astype(object).to_dict("records")
        ]
        parts = np.split(self.curves, [HEAD_EPOCHS], axis=1)
        self._phases = [
            PhaseModel(self.recorded_params, part, ignored)
            for part, ignored in zip(parts, (PHASE_2_ONLY, frozenset()), strict=True)
        ]
        self._seconds = _seconds_by_depth(first)

    @property
    def num_epochs(self) -> int:
        return self.curves.shape[1]

    @property
    def mean_seconds(self) -> float:
        """Virtual duration of a whole trial, over the recorded ones."""
        return float(np.mean([self.seconds(p).sum() for p in self.recorded_params]))

    @property
    def out_of_bag(self) -> FloatArray:
        """Curves of the recorded trials by the trees that did not see them, (trials, epochs)."""
        return np.concatenate([phase.out_of_bag for phase in self._phases], axis=1)

    @property
    def out_of_bag_misses(self) -> FloatArray:
        return self.curves - self.out_of_bag

    @property
    def r_squared(self) -> float:
        """Share of the last epoch's variance that the forest explains out of bag."""
        return 1 - float(self.out_of_bag_misses[:, -1].var() / self.curves[:, -1].var())

    def true_curves(self, many: list[dict[str, Any]]) -> FloatArray:
        """Without noise, shape (N, epochs)."""
        add_misses = self.noise == "repeats"
        parts = [phase.curves(many, add_misses=add_misses) for phase in self._phases]
        return np.clip(np.concatenate(parts, axis=1), 0.0, 1.0)

    def truths(self, many: list[dict[str, Any]]) -> FloatArray:
        """What configurations are worth: their last epoch without noise, shape (N,)."""
        return self.true_curves(many)[:, -1]

    def curve(self, params: dict[str, Any], rng: np.random.Generator) -> FloatArray:
        """As one training would report it, shape (epochs,)."""
        true = self.true_curves([params])[0]
        if self.noise == "repeats":
            noise = rng.choice(self.repeats) * rng.choice([-1.0, 1.0])
        else:
            alike = np.abs(self.out_of_bag[:, -1] - true[-1]).argsort()[:ALIKE]
            noise = self.out_of_bag_misses[rng.choice(alike)]
        return np.clip(true + noise, 0.0, 1.0)

    def seconds(self, params: dict[str, Any]) -> FloatArray:
        """Virtual duration of each epoch, shape (epochs,): the recorded median of its depth.

        Of all depths for one that no recorded trial has.
        """
        return self._seconds.get(params["unfreeze"], self._seconds[ANY_DEPTH])


def recorded_curves(table: pd.DataFrame) -> FloatArray:
    """Macro-F1 by epoch, shape (trials, epochs); one that diverged stays where it ended."""
    return table.filter(like=VALUES).ffill(axis=1).to_numpy(dtype=float)


def repeat_differences(table: pd.DataFrame) -> FloatArray:
    """Curve of the second training minus that of the first, where both are, (pairs, epochs)."""
    curves = pd.DataFrame(recorded_curves(table), index=[table["seed"], table["trial"]])
    first, second = sorted(table["seed"].unique())
    both = curves.loc[second].index
    return (curves.loc[second] - curves.loc[first].loc[both]).to_numpy()


def order_kept(curves: FloatArray, least: float = 0.0) -> list[float]:
    """Share of the pairs of trials that stand after an epoch as in the end, by epoch.

    Args:
        curves: shape (trials, epochs).
        least: trials that end below are left out: telling the hopeless apart needs no search.
    """
    kept = curves[curves[:, -1] > least]
    return [(1 + float(kendalltau(early, kept[:, -1]).statistic)) / 2 for early in kept.T]


def _seconds_by_depth(table: pd.DataFrame) -> dict[str, FloatArray]:
    seconds = table.filter(like=SECONDS)
    head = seconds.iloc[:, :HEAD_EPOCHS].median().to_numpy()
    finetune = seconds.iloc[:, HEAD_EPOCHS:]
    medians = finetune.groupby(table[f"{PARAMS}unfreeze"]).median().median(axis=1).to_dict()
    medians[ANY_DEPTH] = finetune.median().median()
    return {
        str(depth): np.concatenate([head, np.full(finetune.shape[1], median)])
        for depth, median in medians.items()
    }
