"""Delta checkpoints: what differs from the pre-trained backbone, as safetensors and JSON.

A checkpoint is a folder with `state.safetensors` (tensors) and `state.json` (all the rest); no
pickle. `SHA256SUMS` tells whether both are as they were written (`sha256sum --check` reads it). It
needs the backbone's weights to be whole again, and names them by their hash.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.network import FineTuneModel, build_model
from trainables.models.resize import Resize
from trainables.models.run_weights import find_weights, same_content
from trainables.models.weights import load_backbone_state, weights_id

FORMAT_VERSION = 4
TENSORS, RECORD, CHECKSUMS = "state.safetensors", "state.json", "SHA256SUMS"
StateDict = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A trial after one of its epochs: enough to go on training, or to predict.

    `model` and `average` hold, once loaded, only the tensors that differ from `pretrained`.
    """

    config: FineTuneConfig
    class_names: tuple[str, ...]
    base_px: int
    weights_id: str
    history: Sequence[Mapping[str, Any]]  # the report of every epoch so far
    model: dict[str, Tensor]
    average: dict[str, Tensor]  # of the weights, where they are averaged; what was evaluated
    num_averaged: int
    optimizer: StateDict
    schedule: StateDict
    # The class predicted for each validation picture after each epoch, int16 (epochs, N).
    val_predictions: Tensor
    pretrained: dict[str, Tensor]

    def save(self, folder: Path) -> None:
        """Write into an existing empty folder."""
        tensors = {f"model/{name}": v for name, v in self._changed(self.model).items()}
        tensors |= {f"average/{name}": v for name, v in self._changed(self.average).items()}
        tensors["val_predictions"] = self.val_predictions
        slots = {}  # optimiser state: tensors apart, numbers in the record
        for index, state in self.optimizer["state"].items():
            for key, value in state.items():
                tensors[f"optimizer/{index}/{key}"] = value
            slots[str(index)] = sorted(state)
        record = {
            "format_version": FORMAT_VERSION,
            "config": self.config.to_dict(),
            "class_names": list(self.class_names),
            "base_px": self.base_px,
            "weights_id": self.weights_id,
            "num_averaged": self.num_averaged,
            "history": self.history,
            "optimizer": {"param_groups": self.optimizer["param_groups"], "slots": slots},
            "schedule": self.schedule,
        }
        # safetensors wants each tensor with its memory to itself, in the default layout.
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, folder / TENSORS)
        (folder / RECORD).write_text(json.dumps(record))
        (folder / CHECKSUMS).write_text(_checksums(folder))

    def _changed(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        def differs(name: str, value: Tensor) -> bool:
            original = self.pretrained.get(name.removeprefix("backbone."))
            return original is None or not torch.equal(original, value.detach().cpu())

        return {name: value for name, value in state.items() if differs(name, value)}


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint folder; UserError when a file is missing, damaged or of another version."""
    try:
        record = json.loads((folder / RECORD).read_text())
        version = record["format_version"]
        if version == FORMAT_VERSION:
            if (folder / CHECKSUMS).read_text() != _checksums(folder):
                raise ValueError(f"its files are not as {CHECKSUMS} has them")
            tensors = load_file(folder / TENSORS)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise UserError(
            f"checkpoint {folder} cannot be read ({error}); allowed: a folder with {RECORD}, "
            f"{TENSORS} and {CHECKSUMS} as a trial wrote them; choose another checkpoint"
        ) from error
    if version != FORMAT_VERSION:
        raise UserError(
            f"checkpoint {folder} has format_version {version!r}; "
            f"allowed: {FORMAT_VERSION}; read it with the release that wrote it"
        )
    state = {
        int(index): {key: tensors[f"optimizer/{index}/{key}"] for key in keys}
        for index, keys in record["optimizer"]["slots"].items()
    }
    config = FineTuneConfig.from_dict(record["config"])
    return Checkpoint(
        config=config,
        class_names=tuple(record["class_names"]),
        base_px=record["base_px"],
        weights_id=record["weights_id"],
        history=record["history"],
        model=_under("model/", tensors),
        average=_under("average/", tensors),
        num_averaged=record["num_averaged"],
        optimizer={"state": state, "param_groups": record["optimizer"]["param_groups"]},
        schedule=record["schedule"],
        val_predictions=tensors["val_predictions"],
        pretrained={},
    )


def whole_state(
    saved: Checkpoint, changed: dict[str, Tensor], pretrained: dict[str, Tensor], identity: str
) -> dict[str, Tensor]:
    """The pre-trained backbone's tensors and, over them, a checkpoint's own.

    Args:
        saved: the checkpoint.
        changed: its model, or its average.
        pretrained: the backbone's tensors.
        identity: their `weights_id`.

    Raises:
        UserError: the checkpoint was made on other weights.
    """
    if not same_content(saved.weights_id, identity):
        raise UserError(
            f"the checkpoint was made on backbone weights {saved.weights_id}; found {identity}; "
            "allowed: the same weights; give their file with --weights PATH"
        )
    return {f"backbone.{name}": value for name, value in pretrained.items()} | changed


def _checksums(folder: Path) -> str:
    """What `sha256sum` says of a checkpoint's files."""
    return "".join(f"{_sha256(folder / name)}  {name}\n" for name in (RECORD, TENSORS))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A checkpoint's whole model, ready to predict, on the CPU and in eval mode."""

    model: FineTuneModel
    config: FineTuneConfig
    class_names: tuple[str, ...]
    base_px: int
    epoch: int

    def predict_logits(
        self,
        images: npt.NDArray[np.uint8],
        *,
        device: torch.device | None = None,
        batch_size: int = 256,
        progress: Callable[[int], None] = lambda done: None,
    ) -> npt.NDArray[np.float32]:
        """Logits float32 (N, K) of uint8 pictures (N, base_px, base_px, 3), in float32.

        `progress` is told how many pictures are done, after each batch.
        """
        device = device or torch.device("cpu")
        model = self.model.to(device).to(memory_format=torch.channels_last).eval()
        resize = Resize.of(self.config, self.base_px, device)
        logits = np.empty((len(images), len(self.class_names)), np.float32)
        with torch.inference_mode():  # not around the moves above: a heat map needs the weights
            for start in range(0, len(images), batch_size):
                batch = torch.tensor(images[start : start + batch_size], device=device)
                logits[start : start + batch_size] = model(resize(batch)).float().cpu().numpy()
                progress(min(start + batch_size, len(images)))
        return logits


def load_trained(folder: Path) -> TrainedModel:
    """Rebuild the model that a checkpoint's figures are of: the averaged one if there is one.

    Raises:
        UserError: it is damaged, or the weights that it was made on are not here (`run_weights`).
    """
    saved = load_checkpoint(folder)
    backbone = saved.config.backbone
    weights = find_weights(backbone, saved.config.weights, saved.weights_id, near=folder.absolute())
    pretrained = load_backbone_state(backbone, weights)
    model = build_model(saved.config, len(saved.class_names), pretrained=pretrained)
    changed = saved.average or saved.model
    identity = weights_id(backbone, weights)
    model.load_state_dict(whole_state(saved, changed, pretrained, identity))
    return TrainedModel(
        model=model.eval(),
        config=saved.config,
        class_names=saved.class_names,
        base_px=saved.base_px,
        epoch=len(saved.history),
    )
