"""How many trials share a GPU: as many as its memory holds of the space's dearest configuration."""

from dataclasses import replace

import ray
import torch

from search.plan.planning import dearest
from search.plan.probe import Task, measure
from search.settings.checks import check_gpus
from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings
from trainables.errors import UserError

HEADROOM = 0.1  # of the memory, for what a probe of a few steps does not see
RAY_UNITS = 10_000  # in a GPU: the finest share that Ray counts


def pack_gpus(settings: Settings) -> Settings:
    """The settings with `--gpus-per-trial auto` as a number; others as they are.

    Trains a few steps on one GPU of the connected cluster, which has to be free.

    Raises:
        UserError: the cluster has no GPU, or its memory does not hold one trial.
    """
    if settings.gpus_per_trial != GPUS_AUTO:
        return settings
    check_gpus(settings, num_gpus=ray.cluster_resources().get("GPU", 0), where="the cluster")
    probe = ray.remote(num_gpus=1, max_retries=0)(probe_memory)
    need_bytes, total_bytes = ray.get(probe.remote(dearest(settings)))
    count = trials_per_gpu(need_bytes, total_bytes)
    print(
        f"packing      {count} trial{'s' if count > 1 else ''} a GPU: the largest of the space "
        f"takes {need_bytes / 1e9:.1f} of {total_bytes / 1e9:.0f} GB"
    )
    return replace(settings, gpus_per_trial=gpu_share(count))


def probe_memory(task: Task) -> tuple[int, int]:
    """Bytes of the GPU that a trial occupies, CUDA's context and cache included; and all of it.

    What other processes hold on the same GPU counts as the trial's.
    """
    measure(task.dear, task, last_stage=True)
    free_bytes, total_bytes = torch.cuda.mem_get_info()
    return total_bytes - free_bytes, total_bytes


def trials_per_gpu(need_bytes: int, total_bytes: int) -> int:
    """How many trials of such a need the memory holds; UserError where it holds none."""
    count = int(total_bytes * (1 - HEADROOM) // need_bytes)
    if not count:
        raise UserError(
            f"a trial takes {need_bytes / 1e9:.1f} GB of GPU memory, the GPU has "
            f"{total_bytes / 1e9:.1f} GB, of which {HEADROOM:.0%} stay free; allowed: what fits; "
            "lower --batch-size or --resolution"
        )
    return count


def gpu_share(count: int) -> float:
    """The share of a GPU with which `count` trials fit on it: rounded down as Ray counts."""
    return (RAY_UNITS // count) / RAY_UNITS
