"""What the GPUs of this machine are doing."""

from dataclasses import dataclass

import pynvml


@dataclass(frozen=True, kw_only=True)
class GpuUse:
    """One GPU at one moment.

    Attributes:
        index: as nvidia-smi counts them.
        busy_share: of the last sample period, at least one kernel ran; None where the GPU does
            not tell (one that is split).
        used_bytes, total_bytes: of its memory.
    """

    index: int
    name: str
    busy_share: float | None
    used_bytes: int
    total_bytes: int


class Gpus:
    """Asks NVIDIA's driver; a machine without it has no GPUs here."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            self._handles = [
                pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())
            ]
        except pynvml.NVMLError:
            self._handles = []

    def read(self) -> list[GpuUse]:
        """All GPUs that answer; what other programs do with them is counted too."""
        found = (_read(index, handle) for index, handle in enumerate(self._handles))
        return [use for use in found if use is not None]


def _read(index: int, handle: object) -> GpuUse | None:
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:  # it was lost
        return None
    try:
        busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    except pynvml.NVMLError:
        busy = None
    return GpuUse(
        index=index,
        name=pynvml.nvmlDeviceGetName(handle),
        busy_share=busy,
        used_bytes=memory.used,
        total_bytes=memory.total,
    )
