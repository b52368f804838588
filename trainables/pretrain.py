"""Entry point: train a backbone from scratch on any folder of pictures, for use as `--weights`.

    python -m trainables.pretrain --data imagefolder:DIR --out FILE.safetensors

FILE is replaced, atomically, after every epoch, so an interrupted run leaves its last whole epoch.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from trainables.config import FineTuneConfig
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse
from trainables.from_scratch import EpochResult, Recipe, train_from_scratch
from trainables.models import FineTuneModel, build_model


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, load, train, save; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        pretrain(options)
    except UserError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return 2
    return 0


def pretrain(options: argparse.Namespace) -> None:
    """Train as the options say; prints one line an epoch."""
    refuse(_faults(options))
    recipe = Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        max_lr=options.max_lr,
        resolutions_px=options.resolutions,
        seed=options.seed,
    )
    config = FineTuneConfig(backbone=options.backbone, weights="none", seed=options.seed)
    spec = DataSpec(
        source=options.data,
        train_size=options.train_size,
        val_size=options.val_size,
        seed=options.seed,
        base_px=options.base_px or max(recipe.resolutions_px),
    )
    data = load_training(spec)
    num_classes = len(data.train.class_names)
    for note in data.notes:
        print(note)
    print(f"{len(data.train):,} pictures, {num_classes} classes, on {options.device}")

    model = build_model(config, num_classes)
    print(f"{'epoch':>5}  {'px':>3}  {'loss':>7}  {'val top-1':>9}  {'images/s':>8}")
    for result in train_from_scratch(model, data.train, data.val, recipe, options.device):
        print(
            f"{result.epoch:>5}  {result.resolution_px:>3}  {result.loss:>7.4f}  "
            f"{result.val_top1:>9.2%}  {result.images_per_second:>8.0f}",
            flush=True,
        )
        metadata = {
            "architecture": f"torchvision {options.backbone}, num_classes={num_classes}",
            "data": options.data,
            "normalisation": "ImageNet mean/std",
            **_outcome(result, recipe),
        }
        save_weights(options.out, model, metadata)
    print(f"weights in {options.out}")


def save_weights(path: Path, model: FineTuneModel, metadata: dict[str, str]) -> None:
    """Write the network under torchvision's names as float16 safetensors, atomically."""
    classifier = model.head[-1]
    state = model.backbone.state_dict() | {
        f"fc.{name}": tensor for name, tensor in classifier.state_dict().items()
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save({name: _stored(tensor) for name, tensor in state.items()}, metadata))
    os.replace(partial, path)


def _stored(tensor: Tensor) -> Tensor:
    """float16 on the CPU in the default memory layout; integers as they are."""
    dtype = torch.float16 if tensor.is_floating_point() else tensor.dtype
    return tensor.to("cpu", dtype).contiguous()


def _outcome(result: EpochResult, recipe: Recipe) -> dict[str, str]:
    return {
        "resolution": str(result.resolution_px),
        "val_top1": f"{result.val_top1:.4f}",
        "epoch": f"{result.epoch} of {recipe.epochs}",
    }


def _faults(options: argparse.Namespace) -> Iterator[str]:
    if options.out.suffix != ".safetensors":
        yield f"--out is {options.out}; allowed: a name ending in .safetensors; rename it"
    if not options.out.absolute().parent.is_dir():
        yield f"--out is {options.out}; allowed: a file in an existing folder; make the folder"


def _pixels(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainables.pretrain",
        description="Train a backbone from scratch on any folder of pictures.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    best_device = "cuda" if torch.cuda.is_available() else "cpu"
    add = parser.add_argument
    add("--data", required=True, help="imagefolder:DIR, parquet:DIR, cifar10[:DIR] or synthetic")
    add("--out", required=True, type=Path, help="the .safetensors file to write")
    add("--train-size", type=int, default=90_000, help="training pictures")
    add("--val-size", type=int, default=10_000, help="pictures held out to measure top-1")
    add("--base-px", type=int, help="side of the stored pictures; default: the top resolution")
    add("--backbone", default="resnet18", help="resnet18, resnet34, resnet50 or resnet101")
    add("--epochs", type=int, default=Recipe.epochs, help="passes over the pictures")
    add("--batch-size", type=int, default=Recipe.batch_size, help="pictures a step")
    add("--max-lr", type=float, default=Recipe.max_lr, help="peak rate at this batch size")
    add(
        "--resolutions",
        type=_pixels,
        default=Recipe.resolutions_px,
        metavar="PX,PX",
        help="trained at in this order, each for an equal share of the epochs",
    )
    add("--seed", type=int, default=0, help="of the split, the weights and the crops")
    add("--device", type=torch.device, default=torch.device(best_device), help="cpu, cuda, ...")
    return parser


if __name__ == "__main__":
    sys.exit(main())
