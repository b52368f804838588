"""Peak memory of this process."""

import resource

import torch


def peak_memory_bytes(device: torch.device) -> int:
    """The most that was held at once: device memory on a GPU, resident memory on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
