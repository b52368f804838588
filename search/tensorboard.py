"""TensorBoard events of each trial, in the trial's own folder."""

from typing import Any

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from search.listener import Listener
from search.names import OBJECTIVE
from search.record import RunRecord, TrialRecord
from search.run_folder import RunFolder
from trainables.ray_train import trial_folder

SCALARS = {
    "val/macro_f1": "val_macro_f1",
    "val/accuracy": "val_accuracy",
    "val/loss": "val_loss",
    "train/accuracy": "train_accuracy",
    "train/loss": "train_loss",
    "speed/images_per_second": "images_per_second",
    "speed/epoch_seconds": "epoch_seconds",
}
BEST_SO_FAR = "val/best_macro_f1"
GROUPS = {"val_f1_by_class": "val_f1", "rate": "rate"}


class TensorBoard(Listener):
    """Scalars by the trial's own epoch as they come; what Optuna chose when it ends."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._writers: dict[int, SummaryWriter] = {}

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        writer, epoch = self._writer(trial), report["epoch"]
        for tag, name in SCALARS.items():
            if name in report:
                writer.add_scalar(tag, report[name], epoch)
        for group, name in GROUPS.items():
            for part, value in report[name].items():
                writer.add_scalar(f"{group}/{part}", value, epoch)
        writer.add_scalar("speed/peak_memory_gib", report["peak_memory_bytes"] / 2**30, epoch)
        best = max(past[OBJECTIVE] for past in trial.reports)
        writer.add_scalar(BEST_SO_FAR, best, epoch)
        writer.flush()

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        writer = self._writer(trial)
        # The HPARAMS tab shows the last value of these scalars beside what Optuna chose.
        shown = dict.fromkeys((BEST_SO_FAR, "val/macro_f1", "val/accuracy"), 0.0)
        for summary in hparams({**trial.params, "status": trial.status}, shown):
            writer._get_file_writer().add_summary(summary)
        writer.close()
        del self._writers[trial.number]

    def _writer(self, trial: TrialRecord) -> SummaryWriter:
        if trial.number not in self._writers:
            path = self._folder.trials / trial_folder(trial.number)
            self._writers[trial.number] = SummaryWriter(str(path))
        return self._writers[trial.number]
