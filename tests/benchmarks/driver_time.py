"""What the driver does for a trial, and whether that grows with the number of trials.

The last lines: processor time of a picture of the live view and of what TensorBoard is told at the
end of a finished trial, its confusion matrix and prediction grid included.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.driver_time --trials 1000 --out driver_time.json

A search whose trials are recorded curves: no process trains. All else is real and on disk: study,
searcher, ASHA, journal, tables, TensorBoard, progress. The time of each trial is the processor time
that the driver spent on it, from asking for it to writing down its end.
"""

import argparse
import io
import json
import tempfile
import time
from collections import defaultdict
from contextlib import redirect_stdout
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
from rich.console import Console
from safetensors.numpy import save_file

from search.monitoring.lines import Progress
from search.monitoring.live import LiveView
from search.monitoring.tensorboard import TensorBoard
from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.tuning.recorder import Recorder
from search.tuning.scheduler import PhaseAlignedASHA, Rungs, StoppingRule
from search.tuning.searchers import StudySearcher
from search.tuning.stopping import SessionStopper
from search.tuning.study import JournaledStudy, study_storage
from search.tuning.tuner import startup_trials
from spaces.registry import load_space
from tests.benchmarks.sleeping import NUM_CLASSES, report
from tests.benchmarks.surrogate import BASE
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.storage.files import write_json
from trainables.storage.layout import FORMAT_VERSION
from trainables.training.pictures import TrialData
from trainables.workers.ray_trial import trial_folder

AT_A_TIME = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--space", default="core")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as root:
        folder = RunFolder(Path(root))
        with redirect_stdout(io.StringIO()) as terminal:
            seconds, parts = run(folder, arguments.space, arguments.trials)
        record = RunRecord.read(folder.journal)
        picture, ended = picture_seconds(record), board_seconds(record, folder)
    num_lines = len(terminal.getvalue().splitlines())
    print(f"{arguments.trials} trials of space {arguments.space}; {num_lines} lines of progress")
    columns = "".join(f"{part:>12}" for part in parts)
    print(f"{'trials':<16}{'ms a trial':>12}   of it {columns}")
    size = max(arguments.trials // 10, 1)
    for first in range(0, arguments.trials, size):
        window = slice(first, first + size)
        print(
            f"{first + 1:>6} - {first + size:<7}{1000 * fmean(seconds[window]):>12.1f}         "
            + "".join(f"{1000 * fmean(part[window]):>12.1f}" for part in parts.values())
        )
    print(f"a picture of the live view    {1000 * picture:.1f} ms of processor time")
    print(f"the end of a finished trial   {1000 * ended:.1f} ms of processor time, TensorBoard")
    if arguments.out:
        arguments.out.write_text(json.dumps({"seconds": seconds, "parts": parts}))


def run(
    folder: RunFolder, space_name: str, num_trials: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Driver seconds of each trial, in all and by who spent them."""
    space, rng = load_space(space_name), np.random.default_rng(0)
    log = RunLog(folder.journal)
    study = JournaledStudy(
        lambda trial: space(trial, BASE),
        storage=study_storage(folder.study),
        seed=0,
        num_startup_trials=startup_trials(num_trials),
        log=log,
    )
    rule = StoppingRule(Rungs(grace_epochs=1, reduction_factor=3, max_epochs=BASE.finetune_epochs))
    scheduler, searcher = PhaseAlignedASHA(rule), StudySearcher(study)
    recorder = Recorder(
        folder, log, SessionStopper(), rule=rule, listeners=(study, Progress(), board_of(folder))
    )
    recorder.setup()
    spent: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))

    def timed(part: str, number: int, call: Any, *arguments: Any, **named: Any) -> Any:
        started = time.process_time()
        result = call(*arguments, **named)
        spent[part][number] += time.process_time() - started
        return result

    def start(number: int) -> SimpleNamespace | None:
        config = timed("searcher", number, searcher.suggest, str(number))
        if not isinstance(config, dict):
            return None
        trial = SimpleNamespace(trial_id=str(number), config=config, error_file=None, place=number)
        path = folder.trials / trial_folder(config["number"])
        path.mkdir(parents=True)
        for epoch in range(1, BASE.total_epochs + 1):  # what a trial leaves there, predictions only
            checkpoint = path / f"checkpoint_{epoch:04d}"
            checkpoint.mkdir()
            said = rng.integers(0, NUM_CLASSES, (epoch, len(PICTURES.val)), dtype=np.int16)
            save_file({"val_predictions": said}, checkpoint / "state.safetensors")
        timed("recorder", number, recorder.on_trial_start, 0, [], trial)
        return trial

    running = [start(number) for number in range(AT_A_TIME)]
    place = AT_A_TIME
    while running:
        trial = running.pop(0)
        if trial is None:
            continue
        goes_on, worth = True, rng.normal(0.6, 0.1)
        for epoch in range(1, BASE.total_epochs + 1):
            result = report(FineTuneConfig.from_dict(trial.config["config"]), epoch, worth, rng)
            decision = timed(
                "scheduler", trial.place, scheduler.on_trial_result, None, trial, result
            )
            timed("recorder", trial.place, recorder.on_trial_result, 0, [], trial, result)
            goes_on = decision == PhaseAlignedASHA.CONTINUE
            if not goes_on:
                break
        timed("recorder", trial.place, recorder.on_trial_complete, 0, [], trial)
        if place < num_trials:
            running.append(start(place))
            place += 1
    parts = {part: [spent[part][n] for n in range(num_trials)] for part in spent}
    return [sum(part[n] for part in parts.values()) for n in range(num_trials)], parts


def board_of(folder: RunFolder) -> TensorBoard:
    """As a run has it, on a card of the run that is made up."""
    spec = {"source": "synthetic", "train_size": 0, "val_size": len(PICTURES.val), "seed": 0}
    write_json(
        folder.experiment,
        {
            "format_version": FORMAT_VERSION,
            **{"name": "driver_time", "space": "core", "settings": {}, "data": spec},
            **{"class_names": PICTURES.val.class_names, "data_fingerprint": ""},
            **{"git_commit": None, "command": ""},
        },
    )
    return TensorBoard(folder, {BASE.seed: PICTURES}, params=["unfreeze"])


def picture_seconds(record: RunRecord, *, repeats: int = 50) -> float:
    """Processor time of a picture of the live view, on a terminal of 120 columns.

    All trials have ended but four, so that an estimate is made and their lines are drawn.
    """
    for trial in [*record.trials.values()][-AT_A_TIME:]:
        trial.status = "running"
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=50)
    view = LiveView(record, name="run", num_trials=len(record.trials) + 100, console=console)
    for _, told in record.reports:
        view.on_epoch(record, record.trials[0], told)
    console.print(view.picture())
    started = time.process_time()
    for _ in range(repeats):
        console.print(view.picture())
    return (time.process_time() - started) / repeats


def board_seconds(record: RunRecord, folder: RunFolder, *, repeats: int = 20) -> float:
    """Processor time of TensorBoard's `on_end` for a finished trial whose checkpoint is there."""
    board = board_of(folder)
    finished = [
        trial
        for trial in record.trials.values()
        if trial.status == "finished" and [*folder.trials.glob(f"*{trial.number:04d}/checkpoint_*")]
    ]
    board.on_end(record, finished[0])
    started = time.process_time()
    for _ in range(repeats):
        board.on_end(record, finished[0])
    return (time.process_time() - started) / repeats


def pictures() -> TrialData:
    """As many validation pictures as CIFAR-10's preset has, noise."""
    rng = np.random.default_rng(0)
    names = tuple(f"class {i}" for i in range(NUM_CLASSES))
    sets = [
        ImageSet(
            images=rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
            labels=np.arange(count) % NUM_CLASSES,
            class_names=names,
        )
        for count in (NUM_CLASSES, 2_000)
    ]
    return TrialData(train=sets[0], val=sets[1], data_seed=0)


PICTURES = pictures()


if __name__ == "__main__":
    main()
