"""Writes down what happens as it happens: the journal first, then what is derived from it."""

import errno
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from textwrap import shorten
from typing import Any

from ray.tune import Callback

from search.records.disk import occupied_bytes, show_bytes
from search.records.folder import RunFolder
from search.records.record import OBJECTIVE, Listener, RunLog, TrialRecord
from search.records.tables import write_tables
from search.tuning.scheduler import StoppingRule
from search.tuning.stopping import SessionStopper
from trainables.config import FineTuneConfig
from trainables.models.checkpoint_folders import folder_name
from trainables.storage.files import write_json
from trainables.storage.layout import TRIALS_FOLDER
from trainables.training.epoch_report import REPORT_FIELDS
from trainables.workers.ray_trial import trial_folder

NOTE_LENGTH = 80  # characters of a cause on the terminal; the journal has all
TABLES_SHARE = 0.05  # of the search process's time, at most, while the search runs
KEPT_TRIALS = 3  # ended trials whose best checkpoint stays, the best ones


def unless_stopped(hook: Callable[..., None]) -> Callable[..., None]:
    """Run a hook of the recorder, unless the session is stopped; stop it where the disk is full."""

    @wraps(hook)
    def guarded(self: "Recorder", *arguments: Any, **info: Any) -> None:
        if self.stopper.reason is not None:
            return
        try:
            hook(self, *arguments, **info)
        except OSError as error:
            self.stopper.stop(
                f"{self.folder.root} cannot be written ({error.strerror}); free some space",
                is_fault=True,
            )

    return guarded


class Recorder(Callback):
    """Tune's callback that keeps journal, best.json, tables and checkpoints in step.

    A trial that resumes reports its earlier epochs again; those that are in the journal already
    are passed over. Once the session is stopped nothing is written any more, so that the
    trials which Tune then stops stay as they are, to be resumed.

    Args:
        folder: of the run.
        log: its journal.
        stopper: ends the session when the disk is full.
        rule: whose decisions are written down; None when no trial is ever stopped. They are
            read, not made, here: for each report Tune calls the scheduler first and its callbacks
            afterwards.
        listeners: called after the journal is written, in this order.
        kept_trials: ended trials whose best checkpoint stays.
        selects: the best epoch counts, of a trial and of all; else a trial's last one, which was
            chosen before, stays, and there is no best.json.
        quota_bytes: what the run folder may occupy; 0: no limit.
        report_fields: what of an epoch's report is written down.

    Attributes:
        under_way: trials that this session has started, and that have not ended.
    """

    def __init__(
        self,
        folder: RunFolder,
        log: RunLog,
        stopper: SessionStopper,
        *,
        rule: StoppingRule | None = None,
        listeners: tuple[Listener, ...] = (),
        kept_trials: int = KEPT_TRIALS,
        selects: bool = True,
        quota_bytes: int = 0,
        report_fields: tuple[str, ...] = REPORT_FIELDS,
    ) -> None:
        self.folder, self.log, self.stopper = folder, log, stopper
        self.record = log.record
        self._rule, self._listeners = rule, listeners
        self._kept, self._selects, self._quota_bytes = kept_trials, selects, quota_bytes
        self._report_fields = report_fields
        self._failures: dict[int, dict[str, str]] = {}  # reported by trials that are about to end
        self.under_way: set[int] = set()
        self._stripped: set[int] = set()  # ended trials without any checkpoint left
        self._tables_due = 0.0  # seconds on the monotonic clock

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune stores its callbacks for a restore of its own, which is never made."""
        return {}

    @unless_stopped
    def setup(self, **info: Any) -> None:
        """Before the first trial: bring best.json up to the journal, which a kill may have left
        one report ahead of it."""
        best = self.record.best_trial
        if best is not None and best.best is not None:
            self._write_best(best, best.best)

    @unless_stopped
    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config["number"]
        kind = "resumed" if number in self.record.trials else "started"
        config = FineTuneConfig.from_dict(trial.config["config"]).to_dict()
        self.log.write(kind, trial=number, config=config, params=trial.config["params"])
        self.under_way.add(number)

    @unless_stopped
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        number = trial.config["number"]
        for refused in result.get("refused_checkpoints", ()):
            self.log.write("checkpoint_refused", trial=number, cause=refused)
            self.note(f"trial {number}: {refused}")
        if "failure" in result:
            self._failures[number] = result["failure"]
        elif not self.record.has_epoch(number, result["epoch"]):
            self._take_in(self.record.trials[number], result)

    @unless_stopped
    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config["number"]
        failure = self._failures.pop(number, None)
        ended = self.record.trials[number]
        last = ended.reports[-1] if ended.reports else {}
        if failure and failure["kind"] == "disk_full":
            raise OSError(errno.ENOSPC, failure["cause"])
        if failure and failure["kind"] == "store_lost":
            self.stopper.stop(failure["cause"], is_fault=True)
            return
        if failure:
            self._end("failed", ended, **failure)
        elif last.get("diverged"):
            self._end("diverged", ended, epoch=last["epoch"])
        elif last.get("finished"):
            self._end("finished", ended)
        elif self._rule and number in self._rule.stopped:
            rung = self._rule.stopped[number]
            self._end("stopped", ended, by=self._rule.name, rung=rung, epoch=last["epoch"])

    @unless_stopped
    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Its Tune actor or its Train controller died, and Tune starts it again."""
        number, cause = trial.config["number"], _cause(trial)
        self.log.write("interrupted", trial=number, cause=cause)
        self.note(f"trial {number} is started again: {shorten(cause, NOTE_LENGTH)}")

    @unless_stopped
    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config["number"]
        if number not in self.record.trials:  # its Tune actor died before it had begun
            self.on_trial_start(iteration, trials, trial)
        self._end("failed", self.record.trials[number], kind="error", cause=_cause(trial))

    @unless_stopped
    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        self._drop_checkpoints(self._kept)
        self._write_tables()

    def note(self, text: str) -> None:
        """Tell the listeners of something that is no trial's."""
        for listener in self._listeners:
            listener.on_note(self.record, text)

    def _take_in(self, trial: TrialRecord, result: dict[str, Any]) -> None:
        """A new epoch of a trial."""
        report = {name: result[name] for name in self._report_fields if name in result}
        self.log.write("reported", trial=trial.number, report=report)
        if self._rule and trial.number in self._rule.spared and trial.spared_at is None:
            rung = self._rule.spared[trial.number]  # by the scheduler, which Tune has called before
            self.log.write("spared", trial=trial.number, rung=rung, epoch=report["epoch"])
        if self.record.best_trial is trial and trial.best is report:
            self._write_best(trial, report)
        for listener in self._listeners:
            listener.on_epoch(self.record, trial, report)
        self._keep_quota()

    def _write_best(self, trial: TrialRecord, report: dict[str, Any]) -> None:
        if not self._selects:
            return
        checkpoint = f"{TRIALS_FOLDER}/{trial_folder(trial.number)}/{folder_name(report['epoch'])}"
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

    def _end(self, status: str, trial: TrialRecord, **fields: Any) -> None:
        self.log.write(status, trial=trial.number, **fields)
        self.under_way.discard(trial.number)
        for listener in self._listeners:
            listener.on_end(self.record, trial)
        self._drop_checkpoints(self._kept)
        if time.monotonic() >= self._tables_due:
            self._write_tables()

    def _write_tables(self) -> None:
        started = time.monotonic()
        write_tables(self.record, self.folder)
        ended = time.monotonic()
        self._tables_due = ended + (ended - started) / TABLES_SHARE

    def _keep_quota(self) -> None:
        """Within the quota: fewer ended trials keep a checkpoint, in the end only the best one."""
        if not self._quota_bytes or occupied_bytes(self.folder.root) <= self._quota_bytes:
            return
        self._drop_checkpoints(1)
        occupied = occupied_bytes(self.folder.root)
        if occupied > self._quota_bytes:
            self.stopper.stop(
                f"{self.folder.root} occupies {show_bytes(occupied)}, more than --disk-quota "
                f"{show_bytes(self._quota_bytes)}, after all checkpoints that can be spared were "
                "dropped; raise the quota",
                is_fault=True,
            )

    def _drop_checkpoints(self, kept_trials: int) -> None:
        """Of an ended trial only its best epoch's stays, while it is among the best few.

        Where nothing is selected, or no validation written down, the last epoch's counts as best.
        """
        reported = [
            trial
            for trial in self.record.trials.values()
            if trial.number not in self._stripped and trial.reports
        ]
        reported.sort(key=lambda trial: -trial.best[OBJECTIVE] if trial.best else 0.0)
        for rank, trial in enumerate(reported):
            report = (trial.best if self._selects else None) or trial.reports[-1]
            best = report["epoch"] if rank < kept_trials else None
            if trial.ended:
                name = None if best is None else folder_name(best)
                self.folder.keep_checkpoint(trial_folder(trial.number), name)
                if best is None:
                    self._stripped.add(trial.number)


def _cause(trial: Any) -> str:
    """The last line of what a trial of Tune raised."""
    # Tune's own reader looks in the storage, where the text arrives only later.
    text = Path(trial.error_file).read_text() if trial.error_file else "no message"
    return text.strip().splitlines()[-1].strip()[:500]
