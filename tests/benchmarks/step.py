"""How much of a bare training step's speed a trial keeps, and how far both are from arithmetic.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.step --out step.json

The bare step is forward, loss, backward and a fused AdamW on one random batch that is already at
the network's resolution. The trial's is `Trial.train`: enlarging and normalising uint8 pictures on
the device, its losses, rates, schedule and tallies, nothing shared. Both are timed in turn, several
times. The bound is what the device's own matrix products reach in the same precision.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from search.plan.flops import step_flops
from trainables.classes import CIFAR10_CLASSES
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.models.network import build_model, set_trainable
from trainables.training.activations import autocast
from trainables.training.batches import plan_batches
from trainables.training.epoch_report import peak_memory_bytes, reset_peak_memory
from trainables.training.optimizers import build_optimizer
from trainables.training.parallel import SOLO
from trainables.training.pictures import TrialData
from trainables.two_phase import Trial

MATRIX = 4096  # side of the matrices whose product shows the device's rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--backbones", nargs="+", default=["resnet18"])
    parser.add_argument("--resolutions", nargs="+", type=int, default=[64])
    parser.add_argument("--depths", nargs="+", default=["all", "stage4"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bf16"])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6, help="in one timing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    rows = []
    print(
        f"{'':<40}{'bare':>9}{'trial':>9}{'trial/bare':>12}{'bare/bound':>12}{'peak MB':>9}"
        "   images/s"
    )
    for precision in arguments.precisions:
        rate = matrix_rate(device, precision)
        for backbone in arguments.backbones:
            for resolution in arguments.resolutions:
                for depth in arguments.depths:
                    config = FineTuneConfig(
                        backbone=backbone, weights="none", resolution_px=resolution,
                        unfreeze=depth, precision=precision, batch_size=arguments.batch_size,
                        augmentation="none", head_epochs=1, finetune_epochs=1,
                    )  # fmt: skip
                    row = measure(config, device, arguments.steps, arguments.rounds, rate)
                    rows.append(row)
                    print(
                        f"{backbone} {resolution} px, {depth}, {precision:<9}".ljust(40)
                        + f"{row['bare']:>9.0f}{row['trial']:>9.0f}{row['kept']:>12.2f}"
                        f"{row['bare'] / row['bound']:>12.2f}{row['peak_bytes'] / 1e6:>9.0f}",
                        flush=True,
                    )
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1))


def measure(
    config: FineTuneConfig, device: torch.device, steps: int, rounds: int, rate: float
) -> dict[str, Any]:
    """Images per second of both, the median over the rounds of each, and of their ratio."""
    reset_peak_memory(device)
    trial = phase_2(config, device, steps)
    stage = trial.stages[1]
    view = trial.pictures.view(2)
    train = trial.data.train
    batches = plan_batches(
        config, train, epoch=2, train_confusion=None, workers=SOLO, device=device
    )
    bare = bare_step(config, device)

    def run_bare() -> None:
        for _ in range(steps):
            bare()

    def run_trial() -> None:
        trial.train(stage, view, batches)

    run_bare()
    run_trial()
    pairs = [(timed(run_bare, device), timed(run_trial, device)) for _ in range(rounds)]
    images = steps * config.batch_size
    return {
        "config": config.to_dict(),
        "bare": images / statistics.median(b for b, _ in pairs),
        "trial": images / statistics.median(t for _, t in pairs),
        "kept": statistics.median(b / t for b, t in pairs),
        "kept_all": [b / t for b, t in pairs],
        "bound": rate / step_flops(config, stage),
        "matrix_tflops": rate / 1e12,
        "peak_bytes": peak_memory_bytes(device),
    }


def phase_2(config: FineTuneConfig, device: torch.device, steps: int) -> Trial:
    """A trial at the begin of its phase 2, with so many batches an epoch."""
    rng = np.random.default_rng(0)
    count = steps * config.batch_size
    pictures = ImageSet(
        images=rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
        labels=np.arange(count, dtype=np.int64) % len(CIFAR10_CLASSES),
        class_names=CIFAR10_CLASSES,
    )
    data = TrialData(train=pictures, val=pictures, data_seed=0)
    trial = Trial(config, data, device=device, workers=SOLO)
    trial.enter_stage(trial.stages[1])
    trial.schedule = torch.optim.lr_scheduler.ConstantLR(trial.optimizer)  # for ever
    return trial


def bare_step(config: FineTuneConfig, device: torch.device) -> Callable[[], None]:
    """One step on one random batch, with nothing around it."""
    model = build_model(config, len(CIFAR10_CLASSES)).to(device)
    model = model.to(memory_format=torch.channels_last)
    set_trainable(model, config.unfreeze)
    model.train()
    optimizer = build_optimizer(model, config)
    side = config.resolution_px
    pixels = torch.randn(config.batch_size, 3, side, side, device=device)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(config.batch_size, device=device) % len(CIFAR10_CLASSES)

    def step() -> None:
        with autocast(device, enabled=config.precision == "bf16"):
            logits = model(pixels)
        loss = F.cross_entropy(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def matrix_rate(device: torch.device, precision: str) -> float:
    """Floating-point operations a second of a large matrix product, the best of five."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    side = MATRIX if device.type == "cuda" else MATRIX // 2
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return max(2 * side**3 / timed(lambda: torch.matmul(a, b), device) for _ in range(6))


def timed(run: Callable[[], Any], device: torch.device) -> float:
    """Seconds until the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
