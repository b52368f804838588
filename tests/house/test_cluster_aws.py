"""cluster.yaml as far as the requests for instances, against moto's EC2: what Ray asks AWS for."""

import os
import urllib.request
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

boto3 = pytest.importorskip("boto3", reason="boto3 is in the extra aws")
pytest.importorskip("moto.server", reason="moto is in the extra test")

from moto.server import ThreadedMotoServer  # noqa: E402
from ray.autoscaler._private.aws import config as aws_config  # noqa: E402
from ray.autoscaler._private.aws import utils as aws_utils  # noqa: E402
from ray.autoscaler._private.commands import _bootstrap_config  # noqa: E402
from ray.autoscaler._private.event_summarizer import EventSummarizer  # noqa: E402
from ray.autoscaler._private.node_launcher import BaseNodeLauncher  # noqa: E402
from ray.autoscaler._private.node_provider_availability_tracker import (  # noqa: E402
    NodeProviderAvailabilityTracker,
)
from ray.autoscaler._private.providers import _get_node_provider  # noqa: E402
from ray.autoscaler._private.util import ConcurrentCounter  # noqa: E402
from ray.autoscaler.tags import TAG_RAY_CLUSTER_NAME, TAG_RAY_USER_NODE_TYPE  # noqa: E402

ROOT = Path(__file__).parents[2]
SSH = 22
pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@pytest.fixture(scope="module")
def launched(tmp_path_factory) -> tuple[dict[str, Any], Any]:
    """The file's contents, and EC2's client after one node of each type was asked for."""
    home = tmp_path_factory.mktemp("home")
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    # Any image will do: none of the user's exists at moto's.
    for node_type in config["available_node_types"].values():
        node_type["node_config"]["ImageId"] = "ami-12c6146b"
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "HOME": str(home),  # Ray writes the key pair to ~/.ssh
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # the head's role has two of them
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
            # Ray waits 15 s for IAM to propagate.
            patch.setattr(aws_config, "time", SimpleNamespace(sleep=lambda seconds: None))
        # An earlier server of this process has made its IAM without the policies.
        urllib.request.urlopen(
            urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
        ).close()
        aws_utils.resource_cache.cache_clear()
        aws_utils.client_cache.cache_clear()
        bootstrapped = _bootstrap_config(config, no_config_cache=True)
        provider = _get_node_provider(bootstrapped["provider"], bootstrapped["cluster_name"])
        pending = ConcurrentCounter()
        launcher = BaseNodeLauncher(
            provider=provider,
            pending=pending,
            event_summarizer=EventSummarizer(),
            node_provider_availability_tracker=NodeProviderAvailabilityTracker(),
            node_types=bootstrapped["available_node_types"],
        )
        for node_type in bootstrapped["available_node_types"]:
            pending.inc(node_type, 1)
            launcher.launch_node(bootstrapped, 1, node_type)
        yield config, boto3.client("ec2", region_name=config["provider"]["region"])
    server.stop()
    aws_utils.resource_cache.cache_clear()
    aws_utils.client_cache.cache_clear()


def instances(ec2: Any) -> dict[str, dict[str, Any]]:
    """What moto recorded, by the node type in the instance's tag."""
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    return {tags(instance)[TAG_RAY_USER_NODE_TYPE]: instance for instance in found}


def tags(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def test_each_type_is_asked_for_as_the_file_says(launched):
    config, ec2 = launched
    found, wanted = instances(ec2), config["available_node_types"]
    assert found.keys() == wanted.keys()
    for name, instance in found.items():
        node_config = wanted[name]["node_config"]
        assert instance["InstanceType"] == node_config["InstanceType"]
        assert tags(instance)[TAG_RAY_CLUSTER_NAME] == config["cluster_name"]
        market = node_config.get("InstanceMarketOptions", {}).get("MarketType")
        assert instance.get("InstanceLifecycle") == market


def test_gpus_are_bought_on_the_spot_market_and_the_head_is_not(launched):
    _, ec2 = launched
    lifecycles = {name: i.get("InstanceLifecycle") for name, i in instances(ec2).items()}
    assert lifecycles["head"] is None
    assert Counter(lifecycles.values())["spot"] >= 1


def test_only_ssh_comes_in_from_outside(launched):
    _, ec2 = launched
    groups = {g["GroupId"] for i in instances(ec2).values() for g in i["SecurityGroups"]}
    assert len(groups) == 1
    (group,) = ec2.describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    from_outside = [rule for rule in group["IpPermissions"] if rule["IpRanges"]]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in from_outside] == [(SSH, SSH)]
    among_themselves = [rule for rule in group["IpPermissions"] if rule["UserIdGroupPairs"]]
    assert {p["GroupId"] for rule in among_themselves for p in rule["UserIdGroupPairs"]} == groups


def test_the_keys_stay_in_the_users_folder(launched):
    keys = list((Path(os.environ["HOME"]) / ".ssh").glob("*.pem"))
    assert keys
    assert all(key.stat().st_mode & 0o077 == 0 for key in keys)
