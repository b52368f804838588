"""A Ray cluster of several nodes on this machine, whose processes a test kills one by one."""

import contextlib
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

# Actor classes: Train's worker and controller, Tune's driver, and what lies between them.
ACTORS = {
    "worker": "RayTrainWorker",
    "controller": "TrainController",
    "driver": "with_resources.<locals>.ResourceTrainable",  # Tune's name for a FineTuneTrial
    "exchange": "Exchange",
}


class LocalCluster:
    """A head without cores and two nodes of one core each.

    Ray notes the newest cluster's address in its temporary folder, and whoever starts Ray without
    an address joins that one. A folder of its own keeps this cluster out of everybody's way.
    """

    def __init__(self, *, nodes: int = 2) -> None:
        self._temporary = tempfile.mkdtemp(prefix="ray")  # short: the path of a socket is limited
        self._environment = {"RAY_TMPDIR": self._temporary, "RAY_AUTH_MODE": "disabled"}
        self._nodes = nodes
        self._start()

    def _start(self) -> None:
        os.environ.update(self._environment)
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": True, "dashboard_port": 0}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(self._nodes):
            self._cluster.add_node(num_cpus=1)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to join."""
        return self._environment | {"RAY_ADDRESS": self._cluster.address}

    def actors(self, kind: str) -> list[Any]:
        """The living actors of a kind (see `ACTORS`), the one that was started last first."""
        from ray.util.state import list_actors

        wanted = [("class_name", "=", ACTORS[kind]), ("state", "=", "ALIVE")]
        url = f"http://{self._cluster.webui_url}"
        with patch.dict(os.environ):
            os.environ.pop("RAY_ADDRESS", None)  # it would ask there, whatever it is told
            found = list_actors(address=url, filters=wanted, detail=True, timeout=20)
        alive = [actor for actor in found if exists(actor.pid)]
        return sorted(alive, key=lambda actor: -_start_time(actor.pid))

    def kill_actor(self, kind: str) -> bool:
        """SIGKILL the newest actor of a kind; False when there is none just now."""
        actors = self.actors(kind)
        return bool(actors) and kill([actors[0].pid])

    def kill_node(self) -> bool:
        """SIGKILL all processes of the node that trains, and put a fresh node in its place."""
        workers = self.actors("worker")
        hosts = [n for n in self._cluster.worker_nodes if workers and _id(n) == workers[0].node_id]
        if not hosts:
            return False
        kill(_processes(hosts[0]))
        self._cluster.remove_node(hosts[0], allow_graceful=False)
        self._cluster.add_node(num_cpus=1)
        return True

    def kill_all(self) -> None:
        """SIGKILL all processes of all nodes, and start a new cluster."""
        nodes = self._cluster.list_all_nodes()
        kill([pid for node in nodes for pid in _processes(node)])
        self._cluster.shutdown()
        self._start()

    def close(self) -> None:
        self._cluster.shutdown()
        for name in self._environment:
            os.environ.pop(name)
        shutil.rmtree(self._temporary, ignore_errors=True)


def kill(pids: list[int]) -> bool:
    """SIGKILL processes by their ids; True when all of them were there and are gone."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
    wait_for(lambda: not any(exists(pid) for pid in pids), seconds=30, what="a killed process")
    return True


def exists(pid: int) -> bool:
    """Whether a process lives; one that was killed and only waits for its parent does not."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def limit_memory(pid: int, *, more_bytes: int) -> None:
    """Let a process, if it lives, have hardly more address space than now (as `ulimit -v`)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + more_bytes
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The condition's value once it is true; TimeoutError names what was waited for."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: nothing within {seconds} s")
        time.sleep(0.1)
    return value


def _processes(node: Any) -> list[int]:
    """A node's processes, and the workers that its raylet has started."""
    own = [info.process.pid for infos in node.all_processes.values() for info in infos]
    return [pid for parent in own for pid in [parent, *_descendants(parent)]]


def _descendants(pid: int) -> list[int]:
    children = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if (fields := _stat(int(path.name))) and int(fields[1]) == pid
    ]
    return [found for child in children for found in [child, *_descendants(child)]]


def _start_time(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (see proc(5)); empty for no process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _id(node: Any) -> str:
    return str(node.node_id)
