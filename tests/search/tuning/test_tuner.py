"""Concurrency, resources and what a search starts from."""

import pytest

from search.cluster.capacity import concurrent_trials, slots
from search.settings.checks import check_cores, check_gpus
from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings
from search.tuning.trials import TRIAL_ACTOR_RESOURCES
from search.tuning.tuner import startup_trials
from trainables.errors import UserError
from trainables.workers.slot import SlotResources, scaling


@pytest.mark.parametrize(
    ("settings", "cluster", "expected"),
    [
        ({}, [{"CPU": 2.0}], 2),
        ({}, [{"CPU": 2.0}, {}, {"CPU": 3.0}], 5),
        ({"cpus_per_trial": 2.0}, [{"CPU": 2.0}], 1),
        ({"cpus_per_trial": 2.0}, [{"CPU": 3.0}, {"CPU": 3.0}], 2),  # a worker lies on one node
        ({"cpus_per_trial": 4.0}, [{"CPU": 2.0}], 0),
        ({"workers_per_trial": 2}, [{"CPU": 8.0}], 4),
        ({"workers_per_trial": 2}, [{"CPU": 1.0}, {"CPU": 1.0}], 1),
        ({"gpus_per_trial": 0.1}, [{"CPU": 16.0, "GPU": 1.0}], 10),
        ({"gpus_per_trial": 0.25}, [{"CPU": 16.0, "GPU": 2.0}], 8),
        ({"gpus_per_trial": 1.0, "cpus_per_trial": 2.0}, [{"CPU": 4.0, "GPU": 8.0}], 2),
        ({"gpus_per_trial": 1.0}, [{"CPU": 64.0}, {"CPU": 8.0, "GPU": 1.0}], 1),
        ({"gpus_per_trial": GPUS_AUTO}, [{"CPU": 8.0, "GPU": 2.0}], 2),
    ],
)
def test_the_nodes_say_how_many_trials_they_hold(settings, cluster, expected):
    assert slots(Settings(**settings), cluster) == expected


def test_at_least_one_trial_runs_and_no_more_than_the_user_allows():
    assert concurrent_trials(Settings(), []) == 1
    assert concurrent_trials(Settings(max_concurrent=3), [{"CPU": 64.0}]) == 3
    assert concurrent_trials(Settings(max_concurrent=3), [{"CPU": 2.0}]) == 2


def test_a_driver_takes_no_core_so_that_trials_cannot_deadlock():
    # Drivers of one core each, two at a time on two cores, would wait for their workers for ever.
    assert "CPU" not in TRIAL_ACTOR_RESOURCES


def test_a_cpu_trial_asks_for_no_gpu():
    assert scaling(SlotResources(cpus=1.0)).resources_per_worker == {"CPU": 1.0}
    shared = scaling(SlotResources(cpus=0.5, gpus=0.25))
    assert (shared.use_gpu, shared.resources_per_worker) == (True, {"CPU": 0.5, "GPU": 0.25})


def test_gpus_that_are_not_there_are_refused():
    with pytest.raises(UserError, match=r"wants 2 GPUs, this machine has 0; allowed"):
        check_gpus(
            Settings(gpus_per_trial=1.0, workers_per_trial=2), num_gpus=0, where="this machine"
        )


def test_cores_that_no_node_has_are_refused_instead_of_waited_for():
    check_cores(Settings(cpus_per_trial=2.0), largest_node=2.0)
    with pytest.raises(UserError, match=r"wants 2 cores on one node, .* has 1; allowed: up to 1"):
        check_cores(Settings(cpus_per_trial=2.0), largest_node=1.0)


def test_a_space_starts_from_the_runs_settings():
    base = Settings(resolution=96, finetune_epochs=5).base_config(precision="bf16")
    assert (base.resolution_px, base.finetune_epochs, base.precision) == (96, 5, "bf16")


def test_random_trials_before_tpe_models():
    assert [startup_trials(n) for n in (4, 16, 40, 1000)] == [4, 4, 10, 16]
