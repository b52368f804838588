"""Finds the cluster that a search runs on, or starts one on this machine."""

import logging
import os
import socket

import ray
from ray._private import services
from ray.exceptions import RayError

from search.cluster.capacity import living_nodes, shape
from search.cluster.waiting import wait_for_room
from search.settings.checks import check_cores, check_gpus
from search.settings.settings import Settings
from trainables.errors import UserError

LOCAL = "local"  # Ray's name for a cluster that is started here
ANSWER_SECONDS = 5.0  # for a cluster to answer on its port

RAY_SETTINGS = {
    # How often Ray Train's controller looks whether its workers live.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    # Our own lines tell what happens: Tune's table is switched off (`verbose=0` in its older form).
    "RAY_AIR_NEW_OUTPUT": "0",
    # The run folder is the record, so Tune's own loggers and frequent snapshots are not wanted.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "600",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    # A trial's actor that has not ended by itself after so long is killed: its slot keeps cores.
    "TUNE_FORCE_TRIAL_CLEANUP_S": "30",
    # Ctrl-C lets the epochs under way end first (search/tuning/interrupt.py).
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # A trial that tells its fault reports no metric with it.
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune fixes at the start how many trials may wait for their actor; `capacity` limits them.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
}


def find_cluster(asked: str) -> tuple[str, str]:
    """The address of the cluster to join, and who named it; `LOCAL` where one is to be started.

    In this order: `--address`, RAY_ADDRESS, the cluster that has a node on this machine.
    """
    for address, source in (
        (asked, "--address"),
        (os.environ.get("RAY_ADDRESS", ""), "RAY_ADDRESS"),
    ):
        if address and address != "auto":
            return address, source
    # Ray notes the newest cluster of this machine in a file, which outlives the cluster.
    noted = services.find_bootstrap_address(None)
    return (noted, "on this machine") if noted and is_listening(noted) else (LOCAL, "")


def is_listening(address: str) -> bool:
    """Whether something listens at "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def can_grow() -> bool:
    """Whether nodes may join the connected cluster: not one that this process has started."""
    return not ray._private.worker._global_node.is_head()


def connect(settings: Settings) -> str:
    """Join the cluster, or start one here, and wait until it can hold a trial; says which it is.

    Raises:
        UserError: no cluster answers, or it holds no trial and does not come to.
    """
    os.environ.update({k: v for k, v in RAY_SETTINGS.items() if k not in os.environ})
    address, source = find_cluster(settings.address)
    if not ray.is_initialized():
        join(address, source)
    # Of what Tune tries again, and of a disk that is full, the recorder tells in a line.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    if address == LOCAL:
        where = "started here"
        nodes = living_nodes()
        check_gpus(
            settings, num_gpus=sum(node.get("GPU", 0) for node in nodes), where="this machine"
        )
        check_cores(settings, largest_node=max(node.get("CPU", 0) for node in nodes))
    else:
        where = f"{address} ({source})"
        wait_for_room(settings, where)
    return f"{where}: {shape(living_nodes())}"


def join(address: str, source: str) -> None:
    """`ray.init`, whose errors become a line."""
    way_out = (
        "allowed: HOST:PORT of a cluster that has a node on this machine, auto, or local (starts "
        "one here)"
    )
    if address != LOCAL and not is_listening(address):
        raise UserError(f"{source} is {address!r}, where no cluster answers; {way_out}")
    # Ray finds the token of a cluster that it finds by itself, not of an address that it is given.
    given = address if source == "--address" or address == LOCAL else None
    try:
        ray.init(
            address=given,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=True,
        )
    except (OSError, RuntimeError, ValueError, RayError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"the cluster {address} ({source or 'to be started here'}) cannot be joined: {reason}; "
            f"{way_out}; python -m search.doctor looks closer"
        ) from error
