"""What the sections of a report are computed from: the run, the model's answers, and how."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.classes import Kinds
from analysis.report.examine import Examined
from analysis.run.reader import Run
from analysis.statistics import metrics
from analysis.statistics.intervals import affordable_resamples, bootstrap
from analysis.statistics.metrics import FloatArray, IntArray

FEW_RESAMPLES = 2_000  # where a draw costs more than counting a matrix
BOOTSTRAPPED = {"macro_f1": metrics.macro_f1, "accuracy": metrics.accuracy, "f1": metrics.f1}


@dataclass(frozen=True, kw_only=True)
class Making:
    """How a report is made.

    Attributes:
        num_resamples: bootstrap draws.
        seed: of the bootstrap.
        command: the command line that makes this report.
        device: where the logits were computed.
        scores: of the detectors, as `analysis.validate` measured them; None where it has not.
    """

    num_resamples: int
    seed: int
    command: str
    device: str
    scores: dict[str, Any] | None

    @property
    def draws(self) -> dict[str, int]:
        return {"num_resamples": self.num_resamples, "seed": self.seed}

    @property
    def few(self) -> dict[str, int]:
        """Draws where one costs more than counting a matrix."""
        return {"num_resamples": min(self.num_resamples, FEW_RESAMPLES), "seed": self.seed}


@dataclass(frozen=True, kw_only=True)
class Records:
    """What every report rests on.

    Attributes:
        run: the run folder.
        making: how the report is made.
        untested: why the checkpoint could not be tested, in a clause; None where it was.
    """

    run: Run
    making: Making
    untested: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.run.class_names

    @property
    def kinds(self) -> Kinds:
        """Which classes of the run are rigid and which organic."""
        return Kinds.of_run(self.settings, self.class_names)

    @property
    def settings(self) -> dict[str, Any]:
        """Of the search."""
        settings: dict[str, Any] = self.run.experiment.get("settings", {})
        return settings

    @property
    def num_val_images(self) -> int:
        return int(self.run.experiment["data"]["val_size"])

    @property
    def validation(self) -> tuple[IntArray, npt.NDArray[np.integer] | None]:
        """Labels (V,) and the winner's predictions after each epoch (E, V); None: not at hand."""
        return np.empty(0, np.int64), None


@dataclass(frozen=True, kw_only=True)
class Answers(Records):
    """A run whose checkpoint was tested.

    Attributes:
        examined: what the checkpoint answered.
        pairs: `pairs_section` of the same test.
    """

    examined: Examined
    pairs: dict[str, Any]

    @property
    def validation(self) -> tuple[IntArray, npt.NDArray[np.integer] | None]:
        return self.examined.val_labels, self.examined.val_predictions

    @property
    def labels(self) -> IntArray:
        """True classes of the sealed test, (N,)."""
        return self.examined.test.labels

    @property
    def logits(self) -> npt.NDArray[np.float32]:
        """Of the sealed test, (N, K)."""
        return self.examined.logits

    @cached_property
    def confusion(self) -> IntArray:
        """Counts of the sealed test, (K, K), row = true class."""
        return metrics.confusion_matrix(
            self.labels, self.logits.argmax(axis=1), len(self.class_names)
        )

    @cached_property
    def samples(self) -> dict[str, FloatArray]:
        """Bootstrap values of "macro_f1" and "accuracy", (R,), and of each class' "f1", (R, K)."""
        return bootstrap(
            self.confusion,
            BOOTSTRAPPED,
            num_resamples=affordable_resamples(self.making.num_resamples, len(self.class_names)),
            rng=np.random.default_rng(self.making.seed),
        )
