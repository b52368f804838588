"""What the driver does for a trial, and whether that grows with the number of trials.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.driver_time --trials 1000 --out driver_time.json

A search whose trials are recorded curves: no process trains. All else is real and on disk: study,
searcher, ASHA, journal, tables, TensorBoard, progress. The time of each trial is what the driver
spent on it, from asking for it to writing down its end.
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

from search.halt import Halt
from search.progress import Progress
from search.recorder import Recorder
from search.run_folder import RunFolder
from search.run_log import RunLog
from search.scheduler import Judge, PhaseAlignedASHA, Rungs
from search.searcher import StudySearcher
from search.study import TruthfulStudy, study_storage
from search.tensorboard import TensorBoard
from search.tuner import startup_trials
from spaces.registry import load_space
from tests.benchmarks.record_trials import BASE
from tests.benchmarks.sleeping import report
from trainables.config import FineTuneConfig

AT_A_TIME = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--space", default="core")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()) as terminal:
        seconds, parts = run(RunFolder(Path(folder)), arguments.space, arguments.trials)
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
    if arguments.out:
        arguments.out.write_text(json.dumps({"seconds": seconds, "parts": parts}))


def run(
    folder: RunFolder, space_name: str, num_trials: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Driver seconds of each trial, in all and by who spent them."""
    space, rng = load_space(space_name), np.random.default_rng(0)
    log = RunLog(folder.journal)
    study = TruthfulStudy(
        lambda trial: space(trial, BASE),
        storage=study_storage(folder.study),
        seed=0,
        num_startup_trials=startup_trials(num_trials),
        log=log,
    )
    judge = Judge(Rungs(grace_epochs=1, reduction_factor=3, max_epochs=BASE.finetune_epochs))
    scheduler, searcher = PhaseAlignedASHA(judge), StudySearcher(study)
    recorder = Recorder(
        folder, log, Halt(), judge=judge, listeners=(study, Progress(), TensorBoard(folder))
    )
    recorder.setup()
    spent: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))

    def timed(part: str, number: int, call: Any, *arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        result = call(*arguments, **named)
        spent[part][number] += time.perf_counter() - started
        return result

    def start(number: int) -> SimpleNamespace | None:
        config = timed("searcher", number, searcher.suggest, str(number))
        if not isinstance(config, dict):
            return None
        trial = SimpleNamespace(trial_id=str(number), config=config, error_file=None, place=number)
        (folder.trials / f"trial_{config['number']:04d}").mkdir(parents=True)
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


if __name__ == "__main__":
    main()
