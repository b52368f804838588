"""Why a trial failed: one line, and whether it is worth another try.

Errors are told apart by name and text, so that processes which only relay need not import torch.
"""

import errno
from typing import Literal, TypedDict

Kind = Literal["out_of_memory", "disk_full", "store_lost", "error"]
# CUDA's allocator and Ray's memory monitor; Python's own; what PyTorch's CPU allocator says.
OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")
NO_MEMORY = "can't allocate memory"
NO_SPACE = "No space left on device"  # as libraries that write files wrap the system's error
# Faults of a device, or of the network between workers or between nodes. A fresh process may do
# better.
TRANSIENT = (
    *("AcceleratorError", "DistBackendError", "DistNetworkError"),
    *("ActorUnavailableError", "ObjectFetchTimedOutError"),
)


class Failure(TypedDict):
    """What the journal says of a failed trial."""

    kind: Kind
    cause: str  # one line


def describe(error: BaseException) -> Failure:
    """The kind and the cause of what a trial's worker raised."""
    error = _original(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no message"]
    # A remote error's text is a traceback, whose last line says what it was.
    cause = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return {"kind": _kind(error), "cause": f"{type(error).__name__}: {cause}"[:500]}


def is_transient(error: BaseException) -> bool:
    """Whether the same trial may do better in a fresh process."""
    return type(error).__name__ in TRANSIENT


def _kind(error: BaseException) -> Kind:
    if type(error).__name__ in OUT_OF_MEMORY or NO_MEMORY in str(error):
        return "out_of_memory"
    if type(error).__name__ == "StoreError":
        return "store_lost"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "disk_full"
    return "disk_full" if NO_SPACE in str(error) else "error"


def _original(error: BaseException) -> BaseException:
    """What the worker's code raised, without Ray Train's wrapper."""
    return getattr(error, "_base_exc", error)
