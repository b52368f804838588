"""cluster.yaml, against Ray's own schema."""

from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[1]


@pytest.fixture
def cluster() -> dict:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_ray_accepts_it(cluster):
    validate_config(prepare_config(cluster))


def test_workers_are_bounded_and_the_head_trains_nothing(cluster):
    nodes = cluster["available_node_types"]
    assert nodes["head"]["resources"]["GPU"] == nodes["head"]["max_workers"] == 0
    assert nodes["gpu_worker"]["max_workers"] <= cluster["max_workers"]


def test_every_start_command_states_how_nodes_authenticate(cluster):
    # Unset, a head with a token file would ask for one that its workers do not send.
    starts = [
        command
        for key in ("head_start_ray_commands", "worker_start_ray_commands")
        for command in cluster[key]
        if "ray start" in command
    ]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=" in command for command in starts)


def test_the_head_starts_the_autoscaler_that_starts_workers(cluster):
    # Autoscaler v2 with a `local` provider starts the head alone (trap 8).
    assert "RAY_enable_autoscaler_v2=0" in " ".join(cluster["head_start_ray_commands"])
