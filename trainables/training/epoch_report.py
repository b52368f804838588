"""What a trial reports of an epoch, the peak memory of its process among it."""

import contextlib
import math
from pathlib import Path
from typing import Any

import torch

from trainables.config import FineTuneConfig
from trainables.training.evaluation import Scores
from trainables.training.stages import FINETUNE_PHASE


def epoch_report(
    config: FineTuneConfig,
    history: list[dict[str, Any]],
    *,
    class_names: tuple[str, ...],
    phase: int,
    train: Scores,
    val: Scores,
    rates: dict[str, float],
    images_per_second: float,
    epoch_seconds: float,
    micro_batches: int,
    device: torch.device,
) -> dict[str, Any]:
    """Plain Python numbers that JSON can hold; a number that is undefined is left out.

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
        device: whose memory is told.
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
    if phase == FINETUNE_PHASE:  # absent in phase 1: no rung lies there
        report["phase2_epoch"] = epoch - config.head_epochs
    report["diverged"] = not (math.isfinite(train.loss) and math.isfinite(val.loss))
    report["finished"] = (
        report["diverged"]
        or epoch == config.final_epoch
        or _stops_early(config.early_stopping_epochs, [*history, report])
    )
    return {k: v for k, v in report.items() if not (isinstance(v, float) and not math.isfinite(v))}


def _stops_early(patience_epochs: int, reports: list[dict[str, Any]]) -> bool:
    """Whether the last `patience_epochs` epochs of phase 2 brought no better macro-F1."""
    values = [r["val_macro_f1"] for r in reports if r["phase"] == FINETUNE_PHASE]
    if not patience_epochs or len(values) <= patience_epochs:
        return False
    return max(values[-patience_epochs:]) <= max(values[:-patience_epochs])


def reset_peak_memory(device: torch.device) -> None:
    """Forget the peak so far: a process may train several trials."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError):  # a container may forbid it; the peak is the process's then
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes(device: torch.device) -> int:
    """The most that was held at once: device memory on a GPU, resident memory on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024  # Linux counts in KiB
