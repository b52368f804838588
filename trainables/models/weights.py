"""Pre-trained backbone weights by name, as one canonical state dict; nothing is ever substituted.

Only light modules are imported at the top: `check_weights` refuses a mistake before torch loads.
"""

import hashlib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from trainables.errors import UserError, refuse

if TYPE_CHECKING:
    from torch import Tensor
    from torchvision.models import WeightsEnum

NAMES = ("imagenet", "imagenet-v1", "imagenet-v2", "embedded", "none")
FILE_SUFFIXES = (".safetensors", ".pth", ".pt")

EMBEDDED_BACKBONE = "resnet18"
EMBEDDED_FILE = "resnet18_imagenet.safetensors"
EMBEDDED_SHA256 = "915f54b7623fb08981e6bc4bf158f7d81134e133a6c21b307cdddb7a3972ce42"

_BACKBONES_WITH_V2 = ("resnet50", "resnet101")  # what torchvision offers
ANSWER_SECONDS = 5.0  # for the server of a download, when asked whether it is there

_NUM_NAMES_SHOWN = 3


def check_weights(backbone: str, weights: str) -> list[str]:
    """What is wrong with a choice of weights, as far as it shows without torch or a network.

    One line a fault. What a file holds and whether a download succeeds shows only on loading.
    """
    if weights == "embedded" and backbone != EMBEDDED_BACKBONE:
        return [
            f"weights is 'embedded' with backbone {backbone!r}; allowed: backbone "
            f"{EMBEDDED_BACKBONE!r}, the only one embedded; choose it or other weights"
        ]
    if weights == "imagenet-v2" and backbone not in _BACKBONES_WITH_V2:
        return [
            f"weights is 'imagenet-v2' with backbone {backbone!r}; allowed: backbones "
            f"{', '.join(_BACKBONES_WITH_V2)}; choose 'imagenet-v1'"
        ]
    if weights in NAMES:
        return []
    if not weights.endswith(FILE_SUFFIXES):
        return [
            f"weights is {weights!r}; allowed: {', '.join(NAMES)}, or the path of a state dict "
            f"({', '.join(FILE_SUFFIXES)}); choose one of them"
        ]
    if not Path(weights).is_file():
        return [
            f"weights is {weights!r}, which is not a file here ({Path(weights).absolute()}); "
            "allowed: an existing state dict; correct the path"
        ]
    return []


def check_weights_file(weights: str) -> list[str]:
    """What is wrong with a .safetensors file, as far as its header shows: a cut or another file."""
    if weights in NAMES or not weights.endswith(".safetensors"):
        return []
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):
            return []
    except (SafetensorError, OSError) as error:
        return [_unreadable_file(Path(weights), error)]


def load_backbone_state(backbone: str, weights: str) -> dict[str, "Tensor"]:
    """Load the backbone's parameters and statistics, complete and checked.

    Args:
        backbone: torchvision's name, such as "resnet18".
        weights: one of `NAMES`, or the path of a state dict (.safetensors, .pth, .pt), which may
            hold a classifier (dropped) and the prefixes "module." and "backbone." (removed).

    Returns:
        torchvision's names without the classifier `fc`; float32 (integers as they are), on the CPU.
        Empty for "none": a random start.

    Raises:
        UserError: the choice is impossible, the file cannot be had or does not fit the backbone.
    """
    refuse(check_weights(backbone, weights))
    if weights == "none":
        return {}
    if weights == "embedded":
        state = _read_embedded()
    elif weights in NAMES:
        state = _read_torchvision(backbone, weights)
    else:
        state = _read_file(Path(weights))
    return _canonical(state, backbone=backbone, origin=f"weights {weights!r}")


def why_unreachable(backbone: str, weights: str) -> str:
    """Why this machine could not load the weights; empty where it could. Downloads nothing."""
    faults = check_weights(backbone, weights)
    if faults or weights in ("embedded", "none") or weights not in NAMES:
        return "; ".join(faults)
    entry = _torchvision_entry(backbone, weights)
    if _cached_file(entry).is_file():
        return ""
    try:
        with urlopen(Request(entry.url, method="HEAD"), timeout=ANSWER_SECONDS):
            return ""
    except OSError as error:
        return f"{_cached_file(entry)} is not there, and {entry.url} does not answer ({error})"


def weights_id(backbone: str, weights: str) -> str:
    """What identifies the pre-trained tensors, whatever their file is called or where it lies.

    Delta checkpoints record it: a delta is only valid on top of exactly these weights. "imagenet"
    and the version it stands for have the same identity.
    """
    refuse(check_weights(backbone, weights))
    if weights == "none":
        return "none"
    if weights == "embedded":
        return f"embedded sha256:{EMBEDDED_SHA256}"
    if weights not in NAMES:
        return f"file sha256:{_file_sha256(Path(weights))}"
    entry = _torchvision_entry(backbone, weights)
    if not _cached_file(entry).is_file():
        _read_torchvision(backbone, weights)
    return f"torchvision {entry} sha256:{_file_sha256(_cached_file(entry))}"


def _read_embedded() -> dict[str, "Tensor"]:
    from safetensors.torch import load

    content = (resources.files("trainables") / "assets" / EMBEDDED_FILE).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != EMBEDDED_SHA256:
        raise UserError(
            f"the embedded weights {EMBEDDED_FILE} have sha256 {sha256}; allowed: "
            f"{EMBEDDED_SHA256}; the file is damaged: restore it from the repository"
        )
    return load(content)


def _read_torchvision(backbone: str, weights: str) -> dict[str, "Tensor"]:
    entry = _torchvision_entry(backbone, weights)
    cached = _cached_file(entry)
    try:
        return dict(
            entry.get_state_dict(
                progress=False, check_hash=True, map_location="cpu", weights_only=True
            )
        )
    except Exception as error:  # no network, a refused download or a damaged file: same ways out
        state = "is damaged" if cached.is_file() else "is not there and could not be downloaded"
        raise UserError(
            f"weights is {weights!r}, but {cached.name} {state} ({_reason(error)}); looked in "
            f"{cached.parent}; put the file from {entry.url} there, set TORCH_HOME to a folder "
            "that has it in hub/checkpoints, or choose weights 'embedded' (resnet18 only), 'none' "
            "or the path of a state dict"
        ) from error


def _torchvision_entry(backbone: str, weights: str) -> "WeightsEnum":
    from torchvision.models import get_model_weights

    versions = {"imagenet-v1": "IMAGENET1K_V1", "imagenet-v2": "IMAGENET1K_V2"}
    return get_model_weights(backbone)[versions.get(weights, "DEFAULT")]


def _cached_file(entry: "WeightsEnum") -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / entry.url.rpartition("/")[2]


def _read_file(path: Path) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged file, or one that is no mapping: nearly anything
        raise UserError(_unreadable_file(path, error)) from error


def _canonical(state: dict[str, Any], *, backbone: str, origin: str) -> dict[str, "Tensor"]:
    """Torchvision's names in torchvision's order, float32, no classifier; or one UserError."""
    import torch

    expected = _expected_state(backbone)
    given = _without_prefixes(state)
    # Files older than PyTorch 0.4.1 lack these counters, which no forward pass here reads.
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):
            given.setdefault(name, torch.zeros(tensor.shape, dtype=tensor.dtype))

    faults = [
        _listed("missing", expected.keys() - given.keys()),
        _listed("unexpected", given.keys() - expected.keys()),
        _listed(
            "mismatched",
            (
                f"{name} {_shape(given[name])} instead of {_shape(expected[name])}"
                for name in expected.keys() & given.keys()
                if _shape(given[name]) != _shape(expected[name])
            ),
        ),
    ]
    if any(faults):
        raise UserError(
            f"{origin} do not fit {backbone}: {'; '.join(filter(None, faults))}; allowed: exactly "
            f"torchvision's {backbone} names and shapes (with or without fc); choose the backbone "
            "these weights belong to"
        )
    canonical = {
        name: given[name].float() if given[name].is_floating_point() else given[name]
        for name in expected
    }
    not_finite = _listed(
        "not finite", (name for name, tensor in canonical.items() if not tensor.isfinite().all())
    )
    if not_finite:
        raise UserError(f"{origin} hold NaN or infinity: {not_finite}; save or download them again")
    return canonical


def _expected_state(backbone: str) -> dict[str, "Tensor"]:
    """Names, shapes and dtypes without memory or initialisation: tensors on the meta device."""
    import torch
    from torchvision.models import get_model

    with torch.device("meta"):
        state = get_model(backbone, weights=None).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


def _without_prefixes(state: dict[str, Any]) -> dict[str, Any]:
    """The backbone's own part: DataParallel's and our model's prefixes removed, `fc` dropped."""
    named = {str(name).removeprefix("module."): tensor for name, tensor in state.items()}
    if any(name.startswith("backbone.") for name in named):
        named = {
            name.removeprefix("backbone."): tensor
            for name, tensor in named.items()
            if name.startswith("backbone.")
        }
    return {name: tensor for name, tensor in named.items() if not name.startswith("fc.")}


def _unreadable_file(path: Path, error: Exception) -> str:
    return (
        f"weights {str(path)!r} cannot be read ({_reason(error)}); allowed: a state dict "
        "of tensors saved by safetensors or torch.save; save it again"
    )


def _reason(error: Exception) -> str:
    """Kind and first sentence: torch goes on to advise unpickling what cannot be trusted."""
    sentence = str(error).partition("\n")[0].partition(". ")[0]
    return f"{type(error).__name__}: {sentence}" if sentence else type(error).__name__


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if hasattr(value, "shape") else type(value).__name__


def _listed(kind: str, names: Iterable[str]) -> str:
    """Such as "2 missing (bn1.bias, conv1.weight)"; empty for no names."""
    ordered = sorted(names)
    if not ordered:
        return ""
    rest = ", ..." if len(ordered) > _NUM_NAMES_SHOWN else ""
    return f"{len(ordered)} {kind} ({', '.join(ordered[:_NUM_NAMES_SHOWN])}{rest})"


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
