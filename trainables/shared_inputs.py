"""What all trials of a run have in common. Light to import: it goes to every process of a trial."""

from dataclasses import dataclass, field
from typing import Any

from trainables.reuse import Reuse


@dataclass(frozen=True, kw_only=True)
class SlotResources:
    """What one trial occupies: `workers` data-parallel workers with this much each."""

    workers: int = 1
    cpus: float = 1.0  # cores a worker
    gpus: float = 0.0  # GPUs a worker; a fraction shares one GPU among trials


@dataclass(frozen=True, kw_only=True)
class SharedTrialInputs:
    """The pictures, which stay in the object store, and where and on what trials run."""

    datasets: dict[int, Any]  # Ray's reference to a TrialData, by the seed of a configuration
    trials_dir: str  # a path that every node can write, or a URI in a store
    resources: SlotResources
    reuse: Reuse
    # By what configurations call their weights, a file in their place: a path or a URI.
    stand_ins: dict[str, str] = field(default_factory=dict)
