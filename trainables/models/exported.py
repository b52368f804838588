"""An exported model: one folder with the whole network and all that using it needs.

`model.safetensors` holds every tensor in float32 (no delta, no backbone file needed);
`config.json` the labels, the preprocessing, the resolution and what the network is made of.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.weight_paths import without_folder

if TYPE_CHECKING:
    from trainables.models.checkpoints import TrainedModel

FORMAT_VERSION = 1
TENSORS, RECORD = "model.safetensors", "config.json"


def save_exported(trained: "TrainedModel", folder: Path, *, provenance: dict[str, Any]) -> None:
    """Write a model into an existing folder."""
    from safetensors.torch import save_file

    from trainables.models.resize import PREPROCESSING

    state = trained.model.state_dict()
    save_file({name: value.cpu().contiguous() for name, value in state.items()}, folder / TENSORS)
    (folder / TENSORS).chmod(0o644)  # safetensors makes files that only their owner can read
    config = trained.config
    record = {
        "format_version": FORMAT_VERSION,
        "labels": list(trained.class_names),
        "architecture": {"backbone": config.backbone, "head": config.head},
        "preprocessing": {
            "input": "uint8 RGB",
            "base_px": trained.base_px,
            "resolution_px": config.resolution_px,
            "interpolation": config.interpolation,
            **PREPROCESSING[config.preprocessing].to_dict(),
        },
        "config": config.to_dict() | {"weights": without_folder(config.weights)},
        "provenance": provenance,
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """What config.json says of an exported model; UserError when the folder holds none."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text())
        version = record["format_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_export(folder, error) from error
    if version != FORMAT_VERSION:
        raise UserError(
            f"{folder} has format_version {version!r}; allowed: "
            f"{FORMAT_VERSION}; export it again with this release"
        )
    return record


def load_exported(folder: Path) -> "TrainedModel":
    """Read an exported model; UserError when the folder is not one, or is damaged."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from trainables.models.checkpoints import TrainedModel
    from trainables.models.network import build_model

    record = read_record(folder)
    try:
        state = load_file(folder / TENSORS)
    except (OSError, ValueError, SafetensorError) as error:
        raise _no_export(folder, error) from error
    config = FineTuneConfig.from_dict(record["config"])
    model = build_model(config, len(record["labels"]), pretrained={})
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{folder / TENSORS} does not fit its {RECORD}: {error}") from error
    return TrainedModel(
        model=model.to(memory_format=torch.channels_last).eval(),
        config=config,
        class_names=tuple(record["labels"]),
        base_px=record["preprocessing"]["base_px"],
        epoch=record["provenance"]["epoch"],
    )


def _no_export(folder: Path, error: Exception) -> UserError:
    return UserError(
        f"{folder} is no exported model ({error}); allowed: a folder that "
        "`python -m search.export` made"
    )
