"""What is wrong with, or missing from, a cluster.yaml. Nothing is launched, no cloud is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from search.doctor.findings import Finding
from trainables.errors import UserError

SSH = 22
ANYWHERE = ("0.0.0.0/0", "::/0")


def check_file(path: Path) -> Iterator[Finding]:
    """Ray's own validation first, then what it leaves open.

    Raises:
        UserError: the file cannot be read, or is no YAML.
    """
    try:
        config = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); allowed: a cluster file for "
            "ray up"
        ) from error
    if not isinstance(config, dict):
        raise UserError(f"{path} holds {type(config).__name__}; allowed: a cluster file for ray up")
    try:
        validate_config(prepare_config(config))
    except Exception as error:  # Ray raises what its validators and its own reading raise
        reason = getattr(error, "message", str(error)).splitlines()[0]
        yield _fault(path, f"Ray refuses it: {reason}", "see Ray's cluster YAML reference")
        return
    yield Finding(check="schema", node=path.name, found="as Ray wants it")
    yield from _bounds(path, config)
    yield from _start_commands(path, config)
    if config["provider"]["type"] == "aws":
        yield from _aws(path, config)


def _bounds(path: Path, config: dict[str, Any]) -> Iterator[Finding]:
    """What an unattended cluster may cost."""
    for key, why in (
        ("max_workers", "Ray's default is 2 nodes, whatever the node types say"),
        ("idle_timeout_minutes", "say after how long an idle node is given back"),
    ):
        if key in config:
            yield Finding(check=key, node=path.name, found=f"{config[key]}")
        else:
            yield _fault(path, f"{key} is missing", why)


def _start_commands(path: Path, config: dict[str, Any]) -> Iterator[Finding]:
    """Token authentication on all nodes, the dashboard on none of the outer addresses."""
    starts = {
        key: [command for command in config.get(key, ()) if "ray start" in command]
        for key in ("head_start_ray_commands", "worker_start_ray_commands")
    }
    for key, commands in starts.items():
        if not commands:
            yield _fault(path, f"{key} holds no `ray start`", "add one")
        for command in commands:
            if "RAY_AUTH_MODE=token" in command:
                yield Finding(check="tokens", node=path.name, found=f"on in {key}")
            else:
                yield _fault(
                    path,
                    f"{key} starts Ray without RAY_AUTH_MODE=token: whoever reaches its ports runs "
                    "code on the cluster",
                    "set it in all start commands and give every node the same token file "
                    "(file_mounts: ~/.ray/auth_token)",
                )
    for command in starts["head_start_ray_commands"]:
        host = command.partition("--dashboard-host")[2].lstrip("= ").partition(" ")[0]
        if host in ("", "127.0.0.1", "localhost"):
            yield Finding(check="dashboard", node=path.name, found="on the head's loopback alone")
        else:
            yield _fault(path, f"--dashboard-host is {host}", "127.0.0.1, and ssh -L to reach it")


def _aws(path: Path, config: dict[str, Any]) -> Iterator[Finding]:
    """What only a user can fill in, and who gets in from outside."""
    for name, node_type in config["available_node_types"].items():
        image = node_type["node_config"].get("ImageId", "")
        if "REPLACE" in image:
            yield _fault(path, f"ImageId of {name} is {image}", "the id of an image in your region")
    rules = config["provider"].get("security_group", {}).get("IpPermissions", [])
    for rule in rules:
        sources = [source["CidrIp"] for source in rule.get("IpRanges", ())]
        ports = (rule.get("FromPort"), rule.get("ToPort"))
        if sources and ports != (SSH, SSH):
            yield _fault(
                path, f"ports {ports[0]} to {ports[1]} are open to {', '.join(sources)}",
                "let in ssh alone (22), and reach the rest through ssh -L",
            )  # fmt: skip
    ssh_from = [
        source["CidrIp"]
        for rule in rules
        if rule.get("FromPort") == SSH
        for source in rule["IpRanges"]
    ] or ["0.0.0.0/0, Ray's default"]
    if any(source.startswith(ANYWHERE) for source in ssh_from):
        yield Finding(
            check="ssh", node=path.name, found=f"from {', '.join(ssh_from)}", level="warning",
            cure="provider.security_group.IpPermissions with your own network's CidrIp",
        )  # fmt: skip
    else:
        yield Finding(check="ssh", node=path.name, found=f"from {', '.join(ssh_from)}")


def _fault(path: Path, found: str, cure: str) -> Finding:
    return Finding(check="cluster file", node=path.name, found=found, level="fault", cure=cure)
