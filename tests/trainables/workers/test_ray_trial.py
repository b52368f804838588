"""What Tune is told of a trial, without Ray."""

from pathlib import Path

import pytest

from trainables.training.reuse import NO_REUSE
from trainables.workers import ray_trial
from trainables.workers.ray_trial import FineTuneTrial
from trainables.workers.slot import SharedTrialInputs, SlotResources, TellFailures


class Slot:
    """Stands for the workers: has its reports ready, and remembers its jobs."""

    def __init__(self, resources: SlotResources) -> None:
        self.resources, self.jobs = resources, []
        self.reports: list[dict] = []

    def assign(self, job):
        self.jobs.append(job)

    def next_report(self):
        return self.reports.pop(0)


@pytest.fixture
def trial(monkeypatch, tmp_path) -> FineTuneTrial:
    monkeypatch.setattr(ray_trial, "Slot", Slot)
    trial = object.__new__(FineTuneTrial)  # Tune's own constructor makes folders
    shared = SharedTrialInputs(
        datasets={3: "pictures of seed 3", 4: "pictures of seed 4"},
        trials_dir=str(tmp_path),
        resources=SlotResources(workers=2),
        reuse=NO_REUSE,
        stand_ins={"embedded": "/run/weights/7d8c.safetensors"},
    )
    trial.setup({"number": 7, "config": {"seed": 3, "weights": "imagenet"}}, shared)
    return trial


def test_a_trial_trains_on_the_pictures_of_its_seed_in_a_folder_of_its_own(trial):
    (job,) = trial._slot.jobs
    assert trial._slot.resources == SlotResources(workers=2)
    assert job["config"] == {"seed": 3, "weights": "imagenet"}
    assert (job["data"], job["weights"]) == ("pictures of seed 3", "")
    assert job["reuse"] == NO_REUSE
    assert Path(job["folder"]).name == "trial_0007"


@pytest.mark.parametrize(
    ("report", "is_last"),
    [
        ({"epoch": 1, "finished": False}, False),
        ({"epoch": 9, "finished": True}, True),
        ({"failure": {"kind": "error", "cause": "..."}}, True),
    ],
)
def test_each_step_is_a_report_and_the_last_one_says_so(trial, report, is_last):
    trial._slot.reports = [report]
    assert trial.step() == report | {"done": is_last}


def test_the_next_trial_is_trained_by_the_same_workers(trial):
    slot = trial._slot
    assert trial.reset_config({"number": 8, "config": {"seed": 4, "weights": "embedded"}})
    assert trial._slot is slot
    assert [job["data"] for job in slot.jobs] == ["pictures of seed 3", "pictures of seed 4"]
    assert slot.jobs[-1]["weights"] == "/run/weights/7d8c.safetensors"


def test_why_workers_died_is_told_in_a_line():
    told = []

    class Exchange:
        class workers_failed:
            remote = told.append

    TellFailures(Exchange).after_exception(None, {1: RuntimeError("no such op\nmore")})
    assert told == [{"kind": "error", "cause": "RuntimeError: no such op"}]


def test_trial_folders_sort_by_number():
    assert ray_trial.trial_folder(7) == "trial_0007"
