"""TensorBoard: the curves and pictures of each trial in its folder, and a card of the run.

The card, and what the HPARAMS and CUSTOM SCALARS pages show, lie in `overview/`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from search.monitoring.events import EventFile, Layout
from search.monitoring.lines import short
from search.monitoring.pictures import confusion_picture, prediction_picture
from search.records.folder import RunFolder
from search.records.record import OBJECTIVE, Listener, RunRecord, TrialRecord
from trainables.models.checkpoint_folders import folder_name
from trainables.models.checkpoints import TENSORS
from trainables.training import epoch_report
from trainables.training.pictures import TrialData
from trainables.workers.ray_trial import trial_folder

OVERVIEW = "overview"
SCALARS = {
    **{name.replace("_", "/", 1): name for name in epoch_report.FIGURES},  # "val/macro_f1"
    "speed/images_per_second": "images_per_second",
    "speed/epoch_seconds": "epoch_seconds",
}
BEST_SO_FAR = "val/best_macro_f1"
GROUPS = {"val_f1_by_class": "val_f1", "rate": "rate"}
# What the HPARAMS page shows of a trial: the last value of these.
FIGURES = {
    BEST_SO_FAR: "best macro-F1",
    "val/macro_f1": "last macro-F1",
    "val/accuracy": "last accuracy",
    "val/loss": "last val loss",
}
LAYOUT: Layout = {
    "learning": {
        "loss, train and val": ["train/loss", "val/loss"],
        "accuracy, train and val": ["train/accuracy", "val/accuracy"],
        "macro-F1, and the best so far": ["val/macro_f1", BEST_SO_FAR],
    },
    "rates": {"learning rates": ["rate/.*"]},
    "classes": {"F1 of each class": ["val_f1_by_class/.*"]},
}
# Settings of the run that are not about what is trained.
NOT_SHOWN = {"name", "storage", "resume", "dry_run"}


class TensorBoard(Listener):
    """Scalars by the trial's own epoch as they come; settings and pictures when it ends.

    Args:
        folder: of the run.
        datasets: pictures by the seed of a configuration, those that its trials train on.
        params: the names of what is chosen for a trial.
    """

    def __init__(
        self, folder: RunFolder, datasets: Mapping[int, TrialData], *, params: Sequence[str]
    ) -> None:
        self._folder, self._datasets = folder, datasets
        self._files: dict[int, EventFile] = {}
        overview = EventFile(folder.root / OVERVIEW)
        overview.hparams_page((*params, "status"), FIGURES)
        overview.layout(LAYOUT)
        overview.text("run", card(folder.read_experiment()))
        overview.close()

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        file, epoch = self._file(trial), report["epoch"]
        for tag, name in SCALARS.items():
            if name in report:
                file.scalar(tag, report[name], epoch)
        for group, name in GROUPS.items():
            for part, value in report[name].items():
                file.scalar(f"{group}/{part}", value, epoch)
        file.scalar("speed/peak_memory_gib", report["peak_memory_bytes"] / 2**30, epoch)
        file.scalar(BEST_SO_FAR, max(past[OBJECTIVE] for past in trial.reports), epoch)
        file.flush()

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        file = self._file(trial)
        file.hparams_row(
            trial_folder(trial.number),
            {**trial.params, "status": trial.status},
            has_failed=trial.status in ("failed", "diverged"),
        )
        if trial.status == "finished":
            self._show_pictures(file, trial)
        file.close()
        del self._files[trial.number]

    def _show_pictures(self, file: EventFile, trial: TrialRecord) -> None:
        """Of its best epoch."""
        best, data = trial.best, self._datasets[trial.config["seed"]].val
        if best is None:
            return
        confusion = confusion_picture(best["val_confusion"], data.class_names)
        file.image("val/confusion_matrix", confusion, best["epoch"])
        checkpoint = f"{folder_name(best['epoch'])}/{TENSORS}"
        try:
            with safe_open(
                self._folder.trials / trial_folder(trial.number) / checkpoint, framework="numpy"
            ) as tensors:
                predicted: npt.NDArray[np.int16] = tensors.get_tensor("val_predictions")[-1]
        except (OSError, SafetensorError) as error:
            file.text("val/predictions", f"{checkpoint} cannot be read: {error}")
            return
        file.image("val/predictions", prediction_picture(data, predicted), best["epoch"])

    def _file(self, trial: TrialRecord) -> EventFile:
        if trial.number not in self._files:
            path = self._folder.trials / trial_folder(trial.number)
            self._files[trial.number] = EventFile(path)
        return self._files[trial.number]


def card(experiment: dict[str, Any]) -> str:
    """A run in Markdown: what is searched, on which pictures, with which settings."""
    data, settings = experiment["data"], experiment["settings"]
    about = {
        "space": experiment["space"],
        "pictures": f"{data['source']}: {data['train_size']} to train, {data['val_size']} to "
        f"validate, split with seed {data['seed']}",
        "classes": ", ".join(experiment["class_names"]),
        "fingerprint": experiment["data_fingerprint"],
        "commit": experiment["git_commit"] or "none",
        "command": f"`{experiment['command']}`",
    }
    shown = {name: short(value) for name, value in settings.items() if name not in NOT_SHOWN}
    return "\n".join(
        [
            *(f"| run | {experiment['name']} |", "|---|---|"),
            *(f"| {name} | {value} |" for name, value in about.items()),
            *("", "Its settings:", "", "| setting | value |", "|---|---|"),
            *(f"| {name} | {value} |" for name, value in shown.items() if value != ""),
        ]
    )
