"""Exported graphs, run as anyone would run them: ONNX without PyTorch, `.pt2` without this project.

PyTorch and onnxruntime are imported by the model that needs them.
"""

import json
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainables.errors import UserError

CLASS_NAMES = "class_names"  # a JSON list in either file's metadata


class OnnxModel:
    """A `model.onnx` in onnxruntime on the CPU, with all it needs taken from that file.

    Raises:
        UserError: the file is missing, damaged, or none that this project wrote.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        try:
            self._session = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
            names = self._session.get_modelmeta().custom_metadata_map[CLASS_NAMES]
            self.base_px = int(self._session.get_inputs()[0].shape[1])
        except Exception as error:  # onnxruntime's errors have no common base of their own
            raise _unreadable(path, error) from error
        self.class_names: tuple[str, ...] = tuple(json.loads(names))

    def predict_logits(
        self, images: npt.NDArray[np.uint8], *, batch_size: int = 256
    ) -> npt.NDArray[np.float32]:
        """Logits float32 (N, K) of uint8 pictures (N, base_px, base_px, 3)."""
        starts = range(0, len(images), batch_size)
        batches = [images[start : start + batch_size] for start in starts]
        return np.concatenate([self._session.run(None, {"images": batch})[0] for batch in batches])


class ProgramModel:
    """A `model.pt2` of `torch.export`, on the CPU.

    Raises:
        UserError: the file is missing, damaged, or none that this project wrote.
    """

    def __init__(self, path: Path) -> None:
        import torch

        logging.getLogger("torch.export").setLevel(logging.ERROR)  # what it warns of, it raises
        found = {CLASS_NAMES: ""}
        try:
            program = torch.export.load(path, extra_files=found)
            names = json.loads(found[CLASS_NAMES])
            example = next(node for node in program.graph.nodes if node.name == "images")
            self.base_px = int(example.meta["val"].shape[1])
        except Exception as error:  # a zip, JSON or schema error
            raise _unreadable(path, error) from error
        self.class_names: tuple[str, ...] = tuple(names)
        self._module = program.module()

    def predict_logits(
        self, images: npt.NDArray[np.uint8], *, batch_size: int = 256
    ) -> npt.NDArray[np.float32]:
        """Logits float32 (N, K) of uint8 pictures (N, base_px, base_px, 3)."""
        import torch

        with torch.inference_mode():
            batches = torch.tensor(images).split(batch_size)
            return torch.cat([self._module(batch) for batch in batches]).numpy()


def _unreadable(path: Path, error: Exception) -> UserError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return UserError(
        f"{path} cannot be read ({reason}); allowed: what `python -m search.export --format` "
        "wrote; export it again"
    )
