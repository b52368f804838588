"""Waits until the cluster can hold a trial, which its first node may take minutes to allow.

Meanwhile it says what the cluster's autoscaler does: what nodes it starts, and what failed.
"""

import json
import time
from collections import Counter
from typing import Any

import ray
from ray._private.ray_constants import DEBUG_AUTOSCALING_ERROR, DEBUG_AUTOSCALING_STATUS
from ray.autoscaler.v2.schema import ClusterStatus
from ray.autoscaler.v2.sdk import get_cluster_status
from ray.autoscaler.v2.utils import is_autoscaler_v2
from ray.experimental.internal_kv import _internal_kv_get

from search.cluster.capacity import Placeholders, living_nodes, shape, slots, worker_resources
from search.monitoring.lines import duration
from search.settings.settings import Settings
from trainables.errors import UserError

LINE_SECONDS = 30.0  # between two lines of progress
LOOK_SECONDS = 1.0  # between two looks at the cluster
UNITS = {"GPU": "GPU", "CPU": "cores"}
NOTHING = "its autoscaler, if it has one, starts no node"


def wait_for_room(settings: Settings, where: str) -> None:
    """Return once the connected cluster, `where`, can hold one trial; call for nodes meanwhile.

    Raises:
        UserError: it could not within `--wait-for-gpu` minutes.
    """
    started, placeholders, line_due = time.monotonic(), Placeholders(settings), 0.0
    try:
        while not slots(settings, living_nodes()):
            waited = time.monotonic() - started
            if waited >= settings.wait_for_gpu * 60:
                raise UserError(_never_came(settings, where))
            placeholders.keep(1)
            if waited >= line_due:
                print(
                    f"waiting      {duration(waited)} of {duration(settings.wait_for_gpu * 60)} "
                    f"for {_room(settings)} in {where}: {autoscaler_says()}",
                    flush=True,
                )
                line_due += LINE_SECONDS
            time.sleep(LOOK_SECONDS)
    finally:
        placeholders.keep(0)


def _never_came(settings: Settings, where: str) -> str:
    return (
        f"a trial wants {_room(settings)}, which {where} ({shape(living_nodes())}) had not within "
        f"--wait-for-gpu {settings.wait_for_gpu:g} minutes: {autoscaler_says()}; allowed: less a "
        "trial (--gpus-per-trial, --cpus-per-trial, --workers-per-trial), a longer wait, or "
        "another cluster (--address)"
    )


def _room(settings: Settings) -> str:
    """Such as "2 x 1 GPU and 2 cores"."""
    per_worker = worker_resources(settings)
    parts = [f"{per_worker[name]:g} {word}" for name, word in UNITS.items() if name in per_worker]
    workers = f"{settings.workers_per_trial} x " if settings.workers_per_trial > 1 else ""
    return workers + " and ".join(parts) + " on one node"


def autoscaler_says() -> str:
    """Such as "1 gpu_worker starting; gpu_worker failed (InsufficientInstanceCapacity)"."""
    if is_autoscaler_v2():
        return describe_v2(get_cluster_status(ray.get_runtime_context().gcs_address))
    error = _internal_kv_get(DEBUG_AUTOSCALING_ERROR)
    if error:
        return f"its autoscaler has failed ({error.decode().strip().splitlines()[-1]})"
    status = _internal_kv_get(DEBUG_AUTOSCALING_STATUS)
    return describe_v1(json.loads(status)) if status else "no autoscaler has answered yet"


def describe_v1(status: dict[str, Any]) -> str:
    """Of what Ray's first autoscaler writes down for `ray status`."""
    report = status.get("autoscaler_report") or {}
    availability = report.get("node_availability_summary", {}).get("node_availabilities", {})
    return _sentence(
        requested=Counter(report.get("pending_launches", {})),
        starting=Counter(kind for _, kind, _ in report.get("pending_nodes", ())),
        failed=[(kind, "") for _, kind in report.get("failed_nodes", ())]
        + [
            (kind, f"{why['category']}: {why['description']}")
            for kind, record in availability.items()
            if not record["is_available"] and (why := record.get("unavailable_node_information"))
        ],
    )


def describe_v2(status: ClusterStatus) -> str:
    """Of what Ray's second autoscaler answers."""
    requested: Counter[str] = Counter()
    for launch in status.pending_launches:
        requested[launch.ray_node_type_name] += launch.count
    return _sentence(
        requested=requested,
        starting=Counter(node.ray_node_type_name for node in status.pending_nodes),
        failed=[
            (launch.ray_node_type_name, launch.details or "") for launch in status.failed_launches
        ]
        + [(node.ray_node_type_name, node.failure_detail or "") for node in status.failed_nodes],
    )


def _sentence(
    *, requested: Counter[str], starting: Counter[str], failed: list[tuple[str, str]]
) -> str:
    parts = [f"{count} {kind} requested" for kind, count in sorted(requested.items())]
    parts += [f"{count} {kind} starting" for kind, count in sorted(starting.items())]
    parts += [f"{kind} failed{f' ({why})' if why else ''}" for kind, why in dict.fromkeys(failed)]
    return "; ".join(parts) or NOTHING
