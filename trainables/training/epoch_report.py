"""What a trial reports of an epoch, the peak memory of its process among it.

`EpochReport` declares it for all that pass it on, write it down or read it: the journal, the
tables, TensorBoard and the report. They need no PyTorch: it is imported where memory is measured.
"""

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from trainables.config import FineTuneConfig
from trainables.training.stages import FINETUNE_PHASE

if TYPE_CHECKING:
    import torch

    from trainables.training.evaluation import Scores


class Clock(TypedDict):
    """Where a trial is; epochs are counted from 1."""

    epoch: int  # over both phases
    phase: int  # 1: frozen backbone, 2: fine-tuning
    phase2_epoch: NotRequired[int]  # absent in phase 1: no rung of ASHA lies there


class Figures(TypedDict, total=False):
    """What the epoch reached; a loss that is not finite, or an undefined share, is absent."""

    train_loss: float  # of the epoch's batches, as they were trained on; nats
    train_accuracy: float
    val_loss: float  # of the evaluated model
    val_accuracy: float
    val_macro_f1: float


class EpochReport(Clock, Figures):
    """The report of one epoch: plain numbers that JSON can hold, in the journal's order."""

    val_f1: dict[str, float]  # by class
    val_confusion: list[list[int]]  # counts (K, K); row = true class
    rate: dict[str, float]  # learning rate of each parameter group, in the epoch's last step
    images_per_second: float  # while training, all workers together
    epoch_seconds: float  # of the whole epoch, validation included
    peak_memory_bytes: int
    micro_batches: int  # parts that a batch was taken in, for want of memory
    diverged: bool  # a loss is not finite
    finished: bool  # the trial is over
    train_confusion: list[list[int]]  # counts (K, K) that the next epoch's hard mining reads


FIGURES = tuple(Figures.__annotations__)
# In the journal and the tables; the rest is for the trial itself, and in its checkpoints.
REPORT_FIELDS = tuple(name for name in EpochReport.__annotations__ if name != "train_confusion")


def epoch_report(
    config: FineTuneConfig,
    history: list[EpochReport],
    *,
    class_names: tuple[str, ...],
    phase: int,
    train: "Scores",
    val: "Scores",
    rates: dict[str, float],
    images_per_second: float,
    epoch_seconds: float,
    micro_batches: int,
    device: "torch.device",
) -> EpochReport:
    """The report of the epoch after those in `history`.

    Args:
        config: says when the trial is over.
        history: the reports of the epochs before.
        class_names: in the order of the scores.
        phase: 1 or 2.
        train: of the epoch's batches, as they were trained on.
        val: of the evaluated model.
        rates: each group's learning rate in the epoch's last step.
        images_per_second: while training, all workers together.
        epoch_seconds: of the whole epoch, validation included.
        micro_batches: parts that a batch was taken in, for want of memory.
        device: whose peak memory is measured.
    """
    epoch = len(history) + 1
    report: dict[str, Any] = {
        "epoch": epoch,
        "phase": phase,
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "train_confusion": train.confusion,
        "val_loss": val.loss,
        "val_accuracy": val.accuracy,
        "val_macro_f1": val.macro_f1,
        "val_f1": dict(zip(class_names, val.f1, strict=True)),
        "val_confusion": val.confusion,
        "rate": rates,
        "images_per_second": images_per_second,
        "epoch_seconds": epoch_seconds,
        "micro_batches": micro_batches,
        "peak_memory_bytes": peak_memory_bytes(device),
    }
    if phase == FINETUNE_PHASE:
        report["phase2_epoch"] = epoch - config.head_epochs
    report["diverged"] = not (math.isfinite(train.loss) and math.isfinite(val.loss))
    report["finished"] = (
        report["diverged"]
        or epoch == config.final_epoch
        or _stops_early(config.early_stopping_epochs, [*history, report])
    )
    return cast(EpochReport, {name: v for name, v in report.items() if not _is_undefined(v)})


def _is_undefined(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _stops_early(patience_epochs: int, reports: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last `patience_epochs` epochs of phase 2 brought no better macro-F1."""
    values = [r["val_macro_f1"] for r in reports if r["phase"] == FINETUNE_PHASE]
    if not patience_epochs or len(values) <= patience_epochs:
        return False
    return max(values[-patience_epochs:]) <= max(values[:-patience_epochs])


def reset_peak_memory(device: "torch.device") -> None:
    """Forget the peak so far: a process may train several trials."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError):  # a container may forbid it; the peak is the process's then
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes(device: "torch.device") -> int:
    """The most that was held at once: device memory on a GPU, resident memory on a CPU."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024  # Linux counts in KiB
