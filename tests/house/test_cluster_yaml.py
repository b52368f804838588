"""cluster.yaml and cluster-local.yaml, against Ray's own schema and its own scheduler."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil

ROOT = Path(__file__).parents[2]
NAMES = ("cluster.yaml", "cluster-local.yaml")
SPOT, ON_DEMAND = "gpu_worker_spot", "gpu_worker_on_demand"


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture(params=NAMES)
def cluster(request) -> dict[str, Any]:
    return read(request.param)


@pytest.fixture
def aws() -> dict[str, Any]:
    return read("cluster.yaml")


def starts(cluster: dict[str, Any], which: str) -> str:
    """The command with which a node starts Ray."""
    (command,) = (c for c in cluster[f"{which}_start_ray_commands"] if "ray start" in c)
    return command


def test_ray_accepts_it(cluster):
    validate_config(prepare_config(cluster))


def test_ray_would_refuse_a_misspelt_key(cluster):
    with pytest.raises(Exception, match="setup_comands"):
        validate_config(prepare_config(cluster | {"setup_comands": []}))


@pytest.mark.parametrize("which", ["head", "worker"])
def test_every_node_asks_for_the_token_and_has_it(cluster, which):
    # Unset, a head with a token file would ask for one that its workers do not send.
    assert "RAY_AUTH_MODE=token " in starts(cluster, which)
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


def test_what_is_run_on_the_head_joins_the_cluster_with_the_token(cluster):
    (line,) = (command for command in cluster["setup_commands"] if ".bashrc" in command)
    assert "RAY_AUTH_MODE=token RAY_ADDRESS=auto" in line


def test_the_dashboard_listens_on_loopback_alone(cluster):
    assert "--dashboard-host=127.0.0.1" in starts(cluster, "head")


def test_own_machines_get_the_autoscaler_that_starts_their_workers():
    # Autoscaler v2 with a `local` provider starts the head alone.
    assert "RAY_enable_autoscaler_v2=0" in starts(read("cluster-local.yaml"), "head")


def test_workers_are_bounded_and_the_head_trains_nothing(aws):
    nodes = aws["available_node_types"]
    assert nodes["head"]["resources"]["GPU"] == nodes["head"]["max_workers"] == 0
    assert all(nodes[name]["max_workers"] <= aws["max_workers"] for name in (SPOT, ON_DEMAND))


def test_spot_and_on_demand_differ_in_the_market_alone(aws):
    nodes = aws["available_node_types"]
    spot, on_demand = nodes[SPOT]["node_config"], nodes[ON_DEMAND]["node_config"]
    assert spot == on_demand | {"InstanceMarketOptions": {"MarketType": "spot"}}
    assert nodes[SPOT]["resources"] == nodes[ON_DEMAND]["resources"]


def test_nothing_but_ssh_is_let_in_from_outside(aws):
    # To ssh from outside and all among the nodes, Ray adds what stands here: nothing.
    assert aws["provider"]["security_group"].keys() == {"GroupName"}


@pytest.mark.parametrize(
    ("most_spot", "unavailable", "launched"),
    [
        (4, [], {SPOT: 3}),
        (2, [], {SPOT: 2, ON_DEMAND: 1}),
        (0, [], {ON_DEMAND: 3}),
        (4, [SPOT], {ON_DEMAND: 3}),
    ],
)
def test_three_gpus_are_asked_for(aws, most_spot, unavailable, launched):
    """Ray's own scheduler: spot first, on demand where spot is full or has not come up."""
    aws["available_node_types"][SPOT]["max_workers"] = most_spot
    config = AutoscalingConfig(prepare_config(aws), skip_content_hash=True)
    gpus = [ResourceRequestUtil.make({"GPU": 1})] * 3
    reply = ResourceDemandScheduler().schedule(
        SchedulingRequest(
            disable_launch_config_check=True,
            node_type_configs=config.get_node_type_configs(),
            max_num_nodes=config.get_max_num_nodes(),
            resource_requests=ResourceRequestUtil.group_by_count(gpus),
            recoverable_resource_availabilities=dict.fromkeys(unavailable, 0.0),
        )
    )
    asked = {launch.instance_type: launch.count for launch in reply.to_launch}
    assert {name: asked.get(name, 0) for name in launched} == launched
