"""`python -m trainables.pretrain`: train a backbone from scratch, for use as `--weights`.

    python -m trainables.pretrain --data imagefolder:DIR --out FILE.safetensors

FILE is replaced, atomically, after every epoch, so an interrupted run leaves its last whole epoch.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.backbones import BACKBONES
from trainables.command import Parser, run_main
from trainables.config import FineTuneConfig
from trainables.data.early import check_early
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse
from trainables.pretrain.recipe import Recipe
from trainables.storage.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.models.network import FineTuneModel
    from trainables.pretrain.from_scratch import EpochResult

DEVICES = r"auto|cpu|mps|cuda(:\d+)?"


def main(arguments: Sequence[str]) -> None:
    """Check, load, train, save; prints one line an epoch."""
    options = _parser().parse_args(arguments)
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
    check_early(spec, with_test=False)
    pretrain(options, recipe, config, spec)


def pretrain(
    options: argparse.Namespace, recipe: Recipe, config: FineTuneConfig, spec: DataSpec
) -> None:
    """Train as the options say; what is heavy is imported after their check."""
    import torch

    from trainables.data.load import load_training
    from trainables.models.network import build_model
    from trainables.pretrain.from_scratch import train_from_scratch

    has_gpu = torch.cuda.is_available()
    device = options.device if options.device != "auto" else "cuda" if has_gpu else "cpu"
    if device.startswith("cuda") and not has_gpu:
        raise UserError(f"--device is {device}, and there is no GPU here; allowed: cpu, auto")
    data = load_training(spec)
    num_classes = len(data.train.class_names)
    for note in data.notes:
        print(note)
    print(f"{len(data.train):,} pictures, {num_classes} classes, on {device}")

    model = build_model(config, num_classes)
    print(f"{'epoch':>5}  {'px':>3}  {'loss':>7}  {'val top-1':>9}  {'images/s':>8}")
    for result in train_from_scratch(model, data.train, data.val, recipe, torch.device(device)):
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


def save_weights(path: Path, model: "FineTuneModel", metadata: dict[str, str]) -> None:
    """Write the network under torchvision's names as float16 safetensors, atomically."""
    from safetensors.torch import save

    classifier = model.head[-1]
    state = model.backbone.state_dict() | {
        f"fc.{name}": tensor for name, tensor in classifier.state_dict().items()
    }
    write_bytes(path, save({name: _stored(tensor) for name, tensor in state.items()}, metadata))


def _stored(tensor: "Tensor") -> "Tensor":
    """float16 on the CPU in the default memory layout; integers as they are."""
    import torch

    dtype = torch.float16 if tensor.is_floating_point() else tensor.dtype
    return tensor.to("cpu", dtype).contiguous()


def _outcome(result: "EpochResult", recipe: Recipe) -> dict[str, str]:
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
    if not re.fullmatch(DEVICES, options.device):
        yield f"--device is {options.device!r}; allowed: auto, cpu, cuda, cuda:N, mps"


def _pixels(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = Parser("trainables.pretrain", __doc__)
    add = parser.add_argument
    add("--data", required=True, help="imagefolder:DIR, parquet:DIR, cifar10[:DIR] or synthetic")
    add("--out", required=True, type=Path, help="the .safetensors file to write")
    add("--train-size", type=int, default=90_000, metavar="N", help="training pictures (90000)")
    add("--val-size", type=int, default=10_000, metavar="N", help="held out for top-1 (10000)")
    add("--base-px", type=int, metavar="PX", help="side of stored pictures (the top resolution)")
    add("--backbone", default="resnet18", help=f"{', '.join(BACKBONES)} (resnet18)")
    epochs, batch_size, max_lr = Recipe.epochs, Recipe.batch_size, Recipe.max_lr
    add("--epochs", type=int, default=epochs, metavar="N", help=f"over the pictures ({epochs})")
    add("--batch-size", type=int, default=batch_size, metavar="N", help=f"pictures ({batch_size})")
    add("--max-lr", type=float, default=max_lr, metavar="LR", help=f"peak rate ({max_lr:g})")
    add(
        "--resolutions",
        type=_pixels,
        default=Recipe.resolutions_px,
        metavar="PX,PX",
        help="trained at in this order, each for an equal share of the epochs (40,64)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the split, the weights and the crops")
    add("--device", default="auto", help="auto (a GPU where there is one), cpu, cuda, cuda:N, mps")
    return parser


if __name__ == "__main__":
    sys.exit(run_main(main))
