"""What a file of weights holds, by dotted name; nothing in it is ever run.

PyTorch's own unpickler builds tensors and plain containers alone (`weights_only`). Training
checkpoints hold a few harmless types besides, which are let through below: records of arguments,
NumPy's numbers and arrays, paths (as paths that touch no disk) and default dictionaries (as plain
ones). OmegaConf's containers are not among them: they resolve expressions.
"""

import argparse
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from trainables.errors import UserError

OF_A_MODULE = "torch.nn.modules."
SAVE_THE_STATE = 'torch.save(model.state_dict(), "weights.pth")'
_UNSUPPORTED = re.compile(r"GLOBAL ([\w.]+)")
_SHOWN_TYPES = 3


def _plain_dict(*_factory: Any) -> dict[Any, Any]:
    return {}


# What builds NumPy's numbers and arrays, and the modules in which NumPy 2 and NumPy 1 have it.
_SCALAR, _ARRAY = np.float64().__reduce__()[0], np.zeros(0).__reduce__()[0]
_NUMPY = ("numpy._core.multiarray", "numpy.core.multiarray")
HARMLESS: list[Any] = [
    argparse.Namespace,
    types.SimpleNamespace,
    (_plain_dict, "collections.defaultdict"),
    *(int, float, str, list, dict),
    (PurePosixPath, "pathlib.PosixPath"),
    (PurePosixPath, "pathlib._local.PosixPath"),
    (PureWindowsPath, "pathlib.WindowsPath"),
    (PureWindowsPath, "pathlib._local.WindowsPath"),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(code)) for code in "?bBhHiIlLqQefdUS"),
    *((_SCALAR, f"{module}.scalar") for module in _NUMPY),
    *((_ARRAY, f"{module}._reconstruct") for module in _NUMPY),
]


def read_named(path: Path) -> dict[str, Any]:
    """Every value of a file by its dotted name, whatever nests it; "" names a lone value.

    Raises:
        UserError: the file is damaged or of no kind that is read, or it would have to run code.
    """
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _load(path)
    except Exception as error:  # a damaged file makes the readers raise nearly anything
        raise UserError(_refusal(path, error)) from error
    return dict(_leaves(content))


def unreadable(path: Path, error: Exception) -> str:
    """The fault of a file that is damaged, or none of those that are read."""
    return (
        f"weights {str(path)!r} cannot be read ({reason(error)}); allowed: a state dict, or a "
        f"checkpoint with one in it, of safetensors or torch.save; save it again: {SAVE_THE_STATE}"
    )


def reason(error: Exception) -> str:
    """Kind and first sentence: torch goes on to advise unpickling what cannot be trusted."""
    sentence = str(error).partition("\n")[0].partition(". ")[0]
    return f"{type(error).__name__}: {sentence}" if sentence else type(error).__name__


def _load(path: Path) -> Any:
    with safe_globals(HARMLESS):
        return torch.load(path, map_location="cpu", weights_only=True)


def _refusal(path: Path, error: Exception) -> str:
    unknown = _unknown_types(path, error)
    if any(name.startswith(OF_A_MODULE) for name in unknown):
        models = [name for name in unknown if not name.startswith(OF_A_MODULE)] or unknown
        return (
            f"weights {str(path)!r} are a whole pickled model ({_some(models)}), which runs code "
            "when it is read; allowed: its tensors; where the model was made, save those: "
            f"{SAVE_THE_STATE}"
        )
    if unknown:
        return (
            f"weights {str(path)!r} hold {_some(unknown)}, which may run code when it is read; "
            "allowed: tensors, numbers and texts in dictionaries; where it was made, save the "
            f"tensors alone: {SAVE_THE_STATE}"
        )
    return unreadable(path, error)


def _unknown_types(path: Path, error: Exception) -> list[str]:
    """Names of what the unpickler does not build; of files before PyTorch 1.6, the first one."""
    try:
        with safe_globals(HARMLESS):
            return sorted(get_unsafe_globals_in_checkpoint(path))
    except Exception:  # no file of today's format: only the error tells
        return _UNSUPPORTED.findall(str(error))


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN_TYPES} more types" if len(names) > _SHOWN_TYPES else ""
    return ", ".join(names[:_SHOWN_TYPES]) + rest


def _leaves(value: Any, name: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """All that is no filled dictionary, by dotted name; `above` breaks circles."""
    if not isinstance(value, Mapping) or not value or id(value) in above:
        yield name, value
        return
    for key, item in value.items():
        yield from _leaves(item, f"{name}.{key}" if name else str(key), (*above, id(value)))
