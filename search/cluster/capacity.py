"""How many trials the nodes of a cluster hold at a time."""

from collections.abc import Iterable, Mapping

import ray

from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings

ROUNDING = 1e-9  # ten tenths of a GPU are one


def living_nodes() -> list[dict[str, float]]:
    """What each living node of the connected cluster has: "CPU", "GPU", ..."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def worker_resources(settings: Settings) -> dict[str, float]:
    """What one worker of a trial occupies; a share that is still to be measured is a whole GPU."""
    gpus = 1.0 if settings.gpus_per_trial == GPUS_AUTO else settings.gpus_per_trial
    return {"CPU": settings.cpus_per_trial} | ({"GPU": gpus} if gpus else {})


def slots(settings: Settings, nodes: Iterable[Mapping[str, float]]) -> int:
    """How many trials the nodes hold, 0 included: a worker lies on one node, a trial's workers may
    lie on several."""
    per_worker = worker_resources(settings)
    workers = sum(
        min(int(node.get(name, 0) / count + ROUNDING) for name, count in per_worker.items())
        for node in nodes
    )
    return workers // settings.workers_per_trial


def concurrent_trials(settings: Settings, nodes: Iterable[Mapping[str, float]]) -> int:
    """How many trials run at a time; at least one, which may have to wait for a node."""
    held = slots(settings, nodes)
    return max(1, min(held, settings.max_concurrent) if settings.max_concurrent else held)


def shape(nodes: list[dict[str, float]]) -> str:
    """Such as "2 nodes, 12 cores, 1 GPU"."""
    counts = [
        (len(nodes), "node"),
        (sum(node.get("CPU", 0) for node in nodes), "core"),
        (sum(node.get("GPU", 0) for node in nodes), "GPU"),
    ]
    return ", ".join(f"{count:g} {word}{'' if count == 1 else 's'}" for count, word in counts)
