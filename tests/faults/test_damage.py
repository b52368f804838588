"""What a trial meets on its way: divergence, too little memory, damaged checkpoints, a rival."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.faults.harness import SETTINGS, Search
from tests.faults.invariants import TIMES, check_record
from tests.faults.local_cluster import exists, limit_memory, wait_for
from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.training.epoch_report import REPORT_FIELDS
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(900)]

DISTURBED = (0, 3)  # trials that go on from a damaged folder
FLAGS = [
    *("--space", "tests.helpers.spaces:diverging_and_large"),
    *("--num-trials", "4", "--max-concurrent", "1"),
    *("--grace-epochs", "4"),  # ASHA stops none: what ends a trial early is this module's doing
]


@pytest.fixture(scope="module")
def damaged(cluster, tmp_path_factory):
    """A search whose trials meet all that this module tests, one after the other.

    Trial 0 loses its worker, trial 3 its driver; trial 1 diverges by its own doing, and trial 2
    gets less memory than it asks for.
    """
    search = Search(cluster, [*SETTINGS, *FLAGS], tmp_path_factory.mktemp("damaged"))
    search.start()
    try:
        search.newest = {0: lose(search, "worker", 0, cut_in_half, "state.safetensors")}
        search.workers_of_2 = starve(search, 2)
        search.newest[3] = lose(search, "driver", 3, flip_a_bit, "state.json")
        search.rival = search.beside("--resume")
        assert search.end() == 0, search.told
    finally:
        search.close()
    return search


def test_the_record_is_whole(damaged):
    check_record(damaged, num_trials=4, max_concurrent=1)


def test_a_diverged_trial_is_recorded_and_the_others_go_on(damaged):
    trials = damaged.record.trials
    assert [trial.status for trial in trials.values()] == [
        *("finished", "diverged", "failed", "finished"),
    ]
    assert trials[1].reports[-1]["diverged"]
    assert "train_loss" not in trials[1].reports[-1]


def test_too_little_memory_is_told_as_such_and_not_tried_again(damaged):
    assert damaged.record.trials[2].kind == "out_of_memory"
    assert "memory" in damaged.record.trials[2].cause
    assert len(damaged.workers_of_2) == 1


def test_a_damaged_checkpoint_is_passed_over_and_the_journal_says_so(damaged):
    refused = [e for e in damaged.events if e["event"] == "checkpoint_refused"]
    assert [event["trial"] for event in refused] == list(DISTURBED)
    for event in refused:
        assert event["cause"].startswith(f"{damaged.newest[event['trial']]} is passed over")
        assert f"trial {event['trial']}: {event['cause']}" in damaged.told


@pytest.mark.parametrize("number", DISTURBED)
def test_a_trial_that_went_on_from_the_checkpoint_before_ends_as_if_undisturbed(damaged, number):
    torch.set_num_threads(1)
    assert trained_alone(damaged, number) == [
        timeless(report) for report in damaged.record.trials[number].reports
    ]


def test_a_second_driver_is_refused_and_does_no_harm(damaged):
    assert damaged.rival.returncode == 2
    assert re.fullmatch(r"error: \S+ is in use by another search.*\n", damaged.rival.stderr)


def lose(search: Search, kind: str, number: int, damage: Callable[[Path], None], file: str) -> str:
    """Kill a trial's process in phase 2 and damage its newest checkpoint, which is named."""
    in_phase2 = search.record_of(number, lambda trial: len(trial.reports) >= 7)
    wait_for(in_phase2, seconds=300, what=f"trial {number} in phase 2")
    worker = search.cluster.actors("worker")[0].pid
    assert search.cluster.kill_actor(kind)
    wait_for(lambda: not exists(worker), seconds=30, what="the end of the worker")
    newest = max((search.folder.trials / f"trial_{number:04d}").glob("checkpoint_*/"))
    damage(newest / file)
    return newest.name


def starve(search: Search, number: int) -> set[int]:
    """Let a trial's worker have hardly more memory than it has now; all workers that it had."""
    begun = search.record_of(number, lambda trial: trial.reports)
    wait_for(begun, seconds=300, what=f"an epoch of trial {number}")
    ended = search.record_of(number, lambda trial: trial.ended)
    seen: set[int] = set()

    def is_over() -> bool:
        for worker in search.cluster.actors("worker"):
            limit_memory(worker.pid, more_bytes=48 * 2**20)
            seen.add(worker.pid)
        return ended()

    wait_for(is_over, seconds=300, what=f"the end of trial {number}")
    return seen


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip_a_bit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 0x40]))


def trained_alone(search: Search, number: int) -> list[dict]:
    """The reports of a trial that is trained here, without Ray and without a fault."""
    experiment = search.folder.read_experiment()
    pictures = load_training(DataSpec.from_dict(experiment["data"]))
    data = TrialData(train=pictures.train, val=pictures.val, data_seed=experiment["seed"])
    config = FineTuneConfig.from_dict(search.record.trials[number].config)
    reports: list[dict] = []
    fine_tune(config, data, lambda report, _: reports.append(report), device=torch.device("cpu"))
    return [timeless(report) for report in reports]


def timeless(report: dict) -> dict:
    """What the journal holds of an epoch, without what differs from one time to the next."""
    return {n: v for n, v in report.items() if n in REPORT_FIELDS and not TIMES.search(n)}
