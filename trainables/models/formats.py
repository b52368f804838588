"""The forms of an exported model: which file each is, what it needs, how it is opened.

Nothing heavy is imported here before a model is opened.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trainables.errors import EXTRAS, missing_extra

FILES = {"safetensors": "model.safetensors", "onnx": "model.onnx", "torch-export": "model.pt2"}


class Model(Protocol):
    """What can be asked of an exported model, whatever form it has."""

    @property
    def class_names(self) -> tuple[str, ...]: ...

    @property
    def base_px(self) -> int: ...

    def predict_logits(
        self, images: npt.NDArray[np.uint8], *, batch_size: int = 256
    ) -> npt.NDArray[np.float32]:
        """Logits float32 (N, K) of uint8 pictures (N, base_px, base_px, 3)."""
        ...


def missing_packages(formats: Iterable[str]) -> list[str]:
    """One line a format whose packages are not installed."""
    return [
        fault
        for form in formats
        if form in EXTRAS
        for fault in missing_extra(form, wanted_by=f"--format {form}")
    ]


def open_model(folder: Path, form: str) -> Model:
    """Open an export's file of that form.

    Raises:
        UserError: it is missing or damaged.
    """
    if form == "onnx":
        from trainables.models.graph_models import OnnxModel

        return OnnxModel(folder / FILES[form])
    if form == "torch-export":
        from trainables.models.graph_models import ProgramModel

        return ProgramModel(folder / FILES[form])
    from trainables.models.exported import load_exported

    return load_exported(folder)
