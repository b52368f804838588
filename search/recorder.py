"""Writes down what happens as it happens: the journal first, then what is derived from it."""

import shutil
from pathlib import Path
from typing import Any, Protocol

from ray.tune import Callback

from search.names import OBJECTIVE
from search.record import RunRecord, TrialRecord
from search.run_folder import RunFolder, write_json
from search.scheduler import PhaseAlignedASHA
from search.tables import write_tables
from trainables import journal
from trainables.config import FineTuneConfig
from trainables.ray_train import trial_folder

KEPT_TRIALS = 3  # ended trials whose best checkpoint stays, the best ones
# What Tune adds to a report, and what is not a measurement.
REPORT_FIELDS = (
    *("epoch", "phase", "phase2_epoch", "train_loss", "train_accuracy"),
    *("val_loss", "val_accuracy", "val_macro_f1", "val_f1", "val_confusion"),
    *("rate", "images_per_second", "epoch_seconds", "peak_memory_bytes", "diverged", "finished"),
)


class Listener(Protocol):
    """Hears of each epoch and of each trial's end, after both are in the journal."""

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None: ...

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None: ...


class Recorder(Callback):
    """Tune's callback that keeps journal, best.json, tables and checkpoints in step.

    A trial that resumes reports its earlier epochs again; those that are in the journal already
    are passed over.
    """

    def __init__(
        self,
        folder: RunFolder,
        record: RunRecord,
        scheduler: PhaseAlignedASHA,
        listeners: tuple[Listener, ...],
    ) -> None:
        self.folder, self.record, self.scheduler = folder, record, scheduler
        self.listeners = listeners

    def setup(self, **info: Any) -> None:
        """Before the first trial: bring best.json up to the journal, which a kill may have left
        one report ahead of it."""
        best = self.record.best_trial
        if best is not None and best.best is not None:
            self._write_best(best, best.best)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config["number"]
        kind = "resumed" if number in self.record.trials else "started"
        config = FineTuneConfig.from_dict(trial.config["config"]).to_dict()
        self._write(kind, trial=number, config=config, params=trial.config["params"])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        number = trial.config["number"]
        if self.record.knows(number, result["epoch"]):
            return
        report = {name: result[name] for name in REPORT_FIELDS if name in result}
        self._write("reported", trial=number, report=report)
        told = self.record.trials[number]
        if self.record.best_trial is told and told.best is report:
            self._write_best(told, report)
        for listener in self.listeners:
            listener.on_epoch(self.record, told, report)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config["number"]
        told = self.record.trials[number]
        last = told.reports[-1] if told.reports else {}
        if last.get("diverged"):
            self._end("diverged", told, epoch=last["epoch"])
        elif last.get("finished"):
            self._end("finished", told)
        elif number in self.scheduler.stopped:
            rung = self.scheduler.stopped[number]
            self._end("stopped", told, by="asha", rung=rung, epoch=last["epoch"])
        else:
            self._end("stopped", told, by="budget", epoch=last.get("epoch"))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        # Tune's own reader looks in the storage, where the text arrives only later.
        text = Path(trial.error_file).read_text() if trial.error_file else "no message"
        cause = text.strip().splitlines()[-1].strip()[:500]
        self._end("failed", self.record.trials[trial.config["number"]], cause=cause)

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        for trial in self.record.trials.values():
            self._drop_checkpoints(trial)
        write_tables(self.record, self.folder)

    def _write(self, event: str, **fields: Any) -> None:
        self.record.apply(journal.append(self.folder.journal, event, **fields))

    def _write_best(self, trial: TrialRecord, report: dict[str, Any]) -> None:
        checkpoint = f"trials/{trial_folder(trial.number)}/checkpoint_{report['epoch']:04d}"
        figures = ("val_macro_f1", "val_accuracy", "val_loss", "val_f1")
        write_json(
            self.folder.best,
            {
                "trial": trial.number,
                "epoch": report["epoch"],
                "phase": report["phase"],
                "config": trial.config,
                "checkpoint": checkpoint,
                **{name: report[name] for name in figures if name in report},
            },
        )

    def _end(self, kind: str, trial: TrialRecord, **fields: Any) -> None:
        self._write(kind, trial=trial.number, **fields)
        ended = [other for other in self.record.trials.values() if other.ended]
        for other in ended:
            self._drop_checkpoints(other)
        write_tables(self.record, self.folder)
        for listener in self.listeners:
            listener.on_end(self.record, trial)

    def _drop_checkpoints(self, trial: TrialRecord) -> None:
        """Of an ended trial only its best epoch's stays, while it is among the best few."""
        if not trial.ended or not trial.reports:
            return
        assert trial.best is not None
        is_kept = trial.number in self._kept_trials()
        for path in (self.folder.trials / trial_folder(trial.number)).glob("checkpoint_*/"):
            epoch = int(path.name.removeprefix("checkpoint_"))
            if not (is_kept and epoch == trial.best["epoch"]):
                shutil.rmtree(path, ignore_errors=True)

    def _kept_trials(self) -> set[int]:
        tried = [t for t in self.record.trials.values() if t.reports]
        best = sorted(tried, key=lambda t: -t.best[OBJECTIVE])[:KEPT_TRIALS]  # type: ignore[index]
        return {trial.number for trial in best}
