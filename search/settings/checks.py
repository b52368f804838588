"""What can be refused in a moment: before PyTorch and Ray are imported and pictures are read."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from search.records.folder import RunFolder
from search.settings.groups import GPUS_AUTO
from search.settings.settings import Settings
from trainables.classes import listed
from trainables.data.early import check_early
from trainables.errors import UserError, refuse
from trainables.models.weights import check_weights_file

SHOWN_CLASSES = 10  # in one line of a fault
GPU_DEVICES = ("/dev/nvidia[0-9]*", "/dev/dxg", "/dev/kfd")  # CUDA, CUDA under WSL, ROCm


def check_new_run(settings: Settings) -> None:
    """Refuse data, weights or another run that are not there.

    Raises:
        UserError: with the faults.
    """
    class_names = check_early(settings.data_spec)
    if class_names:
        refuse(kind_faults(settings, class_names))
    refuse(f"--{fault}" for fault in check_weights_file(settings.backbone, settings.weights))
    if settings.warm_start not in ("", "decks"):
        try:
            RunFolder(Path(settings.warm_start)).read_experiment()
        except UserError as error:
            raise UserError(*(f"--warm-start: {fault}" for fault in error.faults)) from error


def kind_faults(settings: Settings, class_names: tuple[str, ...]) -> Iterator[str]:
    """Classes that --organic and --rigid name and that the data do not have."""
    for flag, names in (("organic", settings.organic), ("rigid", settings.rigid)):
        for name in listed(names):
            if name not in class_names:
                yield (
                    f"--{flag}: class {name!r} is unknown; allowed: classes of {settings.data}, "
                    f"such as {', '.join(class_names[:SHOWN_CLASSES])}"
                )


def may_join(settings: Settings) -> bool:
    """Whether a cluster may be there that the run will join: a name was given, or Ray noted one."""
    named = settings.address or os.environ.get("RAY_ADDRESS", "")
    if named and named != "auto":
        return named != "local"
    return (Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster").exists()


def check_gpu_devices(settings: Settings) -> None:
    """Refuse GPUs on a machine without the device of one; PyTorch counts them later."""
    has_device = any(glob.glob(pattern) for pattern in GPU_DEVICES)
    if settings.gpus_per_trial and not may_join(settings) and not has_device:
        check_gpus(settings, num_gpus=0, where="this machine")


def check_gpus(settings: Settings, *, num_gpus: float, where: str) -> None:
    """Refuse a run whose trials could never be placed."""
    is_auto = settings.gpus_per_trial == GPUS_AUTO
    wanted = 1.0 if is_auto else settings.gpus_per_trial * settings.workers_per_trial
    if wanted > num_gpus:
        share = "auto" if is_auto else f"{settings.gpus_per_trial:g}"
        raise UserError(
            f"--gpus-per-trial {share} x --workers-per-trial "
            f"{settings.workers_per_trial} wants {wanted:g} GPUs, {where} has {num_gpus:g}; "
            "allowed: --gpus-per-trial 0 (trains on the CPU), or a cluster with GPUs (RAY_ADDRESS)"
        )


def check_gpus_here(settings: Settings) -> None:
    """Refuse GPUs that PyTorch does not find on this machine."""
    if settings.gpus_per_trial:
        import torch

        check_gpus(settings, num_gpus=torch.cuda.device_count(), where="this machine")


def choose_precision(settings: Settings) -> str:
    """What `--precision auto` means here: bf16 where the processor computes in it."""
    if settings.precision != "auto":
        return settings.precision
    if settings.gpus_per_trial:
        return "bf16"
    import torch

    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


def worker_threads(settings: Settings) -> int:
    """PyTorch's threads in a trial's worker.

    Ray sets OMP_NUM_THREADS to the worker's cores, rounded down, where the environment of the
    cluster does not set it.
    """
    return max(1, int(settings.cpus_per_trial))


def check_cores(settings: Settings, *, largest_node: float) -> None:
    """Refuse a run whose trials would wait for ever: a worker's cores lie on one node."""
    if settings.cpus_per_trial > largest_node:
        raise UserError(
            f"--cpus-per-trial {settings.cpus_per_trial:g} wants {settings.cpus_per_trial:g} cores "
            f"on one node, the cluster's largest has {largest_node:g}; allowed: up to "
            f"{largest_node:g}, or a cluster with a larger node (RAY_ADDRESS; `local` starts one "
            "here)"
        )
