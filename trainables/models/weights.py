"""Pre-trained backbone weights by name, as one canonical state dict; nothing is ever substituted.

Only light modules are imported at the top: `check_weights` refuses a mistake before torch loads.
What a file holds is read in `weight_files` and found in `weight_places`.
"""

import hashlib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from trainables.backbones import BACKBONES
from trainables.errors import UserError, refuse
from trainables.models.weight_paths import (
    FILE_SUFFIXES,
    MARK,
    file_sha256,
    is_file_name,
    split_place,
)

if TYPE_CHECKING:
    from torch import Tensor
    from torchvision.models import WeightsEnum

NAMES = ("imagenet", "imagenet-v1", "imagenet-v2", "embedded", "none")

EMBEDDED_BACKBONE = "resnet18"
EMBEDDED_FILE = "resnet18_imagenet.safetensors"
EMBEDDED_LICENSE = "resnet18_imagenet.LICENSE"
EMBEDDED_SHA256 = "915f54b7623fb08981e6bc4bf158f7d81134e133a6c21b307cdddb7a3972ce42"

ANSWER_SECONDS = 5.0  # for the server of a download, when asked whether it is there
SHOWN_LEFT_OUT = 6  # of what a file holds besides, in a line


def check_weights(backbone: str, weights: str) -> list[str]:
    """What is wrong with a choice of weights, as far as it shows without torch or a network.

    One line a fault. What a file holds and whether a download succeeds shows only on loading.
    """
    if weights == "embedded" and backbone != EMBEDDED_BACKBONE:
        return [
            f"weights is 'embedded' with backbone {backbone!r}; allowed: backbone "
            f"{EMBEDDED_BACKBONE!r}, the only one embedded; choose it or other weights"
        ]
    with_v2 = [name for name, row in BACKBONES.items() if row.has_imagenet_v2]
    if weights == "imagenet-v2" and backbone not in with_v2:
        return [
            f"weights is 'imagenet-v2' with backbone {backbone!r}; allowed: backbones "
            f"{', '.join(with_v2)}; choose 'imagenet-v1'"
        ]
    if weights in NAMES:
        return []
    if not is_file_name(weights):
        return [
            f"weights is {weights!r}; allowed: {', '.join(NAMES)}, or the path of a state dict "
            f"({', '.join(FILE_SUFFIXES)}); choose one of them"
        ]
    path, _ = split_place(weights)
    if not path.is_file():
        return [
            f"weights is {weights!r}, which is not a file here ({path.absolute()}); "
            "allowed: an existing state dict; correct the path"
        ]
    return []


def check_weights_file(backbone: str, weights: str) -> list[str]:
    """What is wrong with a file of weights, which is read whole; nothing of a name."""
    if weights in NAMES:
        return []
    try:
        load_backbone_state(backbone, weights)
    except UserError as error:
        return [*error.faults]
    return []


def load_backbone_state(backbone: str, weights: str) -> dict[str, "Tensor"]:
    """Load the backbone's parameters and statistics, complete and checked.

    Args:
        backbone: torchvision's name, such as "resnet18".
        weights: one of `NAMES`, or FILE or FILE#PLACE: a state dict or a checkpoint that holds one
            (see `weight_places`).

    Returns:
        torchvision's names without the classifier `fc`; float32 (integers as they are), on the CPU.
        Empty for "none": a random start.

    Raises:
        UserError: the choice is impossible, the file cannot be had or does not fit the backbone.
    """
    refuse(check_weights(backbone, weights))
    if weights == "none":
        return {}
    return _read(backbone, weights)[0]


def weights_record(backbone: str, weights: str) -> dict[str, Any]:
    """What was taken from where, for a run's record: JSON-able, without paths of this machine.

    Returns:
        "id" (see `weights_id`); of a file and of the embedded one also "file" (its name) and
        "sha256"; of a file also "place", the dotted place inside it, and "left_out", names of what
        it holds besides.

    Raises:
        UserError: as `load_backbone_state`.
    """
    refuse(check_weights(backbone, weights))
    if weights == "none":
        return {"id": weights_id(backbone, weights)}
    _, place, others = _read(backbone, weights)
    record: dict[str, Any] = {"id": weights_id(backbone, weights)}
    if weights == "embedded":
        record |= {"file": EMBEDDED_FILE, "sha256": EMBEDDED_SHA256}
    elif weights not in NAMES:
        path, _ = split_place(weights)
        record |= {"file": path.name, "sha256": file_sha256(path)}
        record |= {"place": place, "left_out": others}
    return record


def told_origin(record: dict[str, Any]) -> str:
    """A record of `weights_record` in one line; empty where no file was given."""
    if "place" not in record:
        return ""
    others, most = [" ".join(name.split()) for name in record["left_out"]], SHOWN_LEFT_OUT
    rest = f" and {len(others) - most} more" if len(others) > most else ""
    where = f"what lies at {record['place']}" if record["place"] else "the names at its top"
    besides = f"; left out: {', '.join(others[:most])}{rest}" if others else ""
    return f"{record['file']} (sha256 {record['sha256']}): {where}{besides}"


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

    Of FILE#PLACE the place is part of it.

    Delta checkpoints record it: a delta is only valid on top of exactly these weights. "imagenet"
    and the version it stands for have the same identity.
    """
    refuse(check_weights(backbone, weights))
    if weights == "none":
        return "none"
    if weights == "embedded":
        return f"embedded sha256:{EMBEDDED_SHA256}"
    if weights not in NAMES:
        path, place = split_place(weights)
        return f"file sha256:{file_sha256(path)}" + (f"{MARK}{place}" if place else "")
    entry = _torchvision_entry(backbone, weights)
    if not _cached_file(entry).is_file():
        _read_torchvision(backbone, weights)
    return f"torchvision {entry} sha256:{file_sha256(_cached_file(entry))}"


def _read(backbone: str, weights: str) -> tuple[dict[str, "Tensor"], str, list[str]]:
    """The backbone's state, the place where it lay, and what lay beside it."""
    from trainables.models.weight_files import read_named
    from trainables.models.weight_places import find_backbone, left_out

    origin, choice = f"weights {weights!r}", ""
    if weights == "embedded":
        named = _read_embedded()
    elif weights in NAMES:
        named = _read_torchvision(backbone, weights)
    else:
        path, choice = split_place(weights)
        named = read_named(path)
    place = find_backbone(named, backbone, choice=choice, origin=origin)
    return place.canonical(backbone, origin), place.name, left_out(named, place)


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
    from trainables.models.weight_files import reason

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
            f"weights is {weights!r}, but {cached.name} {state} ({reason(error)}); looked in "
            f"{cached.parent}; put the file from {entry.url} there, set TORCH_HOME to a folder "
            "that has it in hub/checkpoints, or choose weights 'embedded' "
            f"({EMBEDDED_BACKBONE} only), 'none' "
            "or the path of a state dict"
        ) from error


def _torchvision_entry(backbone: str, weights: str) -> "WeightsEnum":
    from torchvision.models import get_model_weights

    versions = {"imagenet-v1": "IMAGENET1K_V1", "imagenet-v2": "IMAGENET1K_V2"}
    return get_model_weights(backbone)[versions.get(weights, "DEFAULT")]


def _cached_file(entry: "WeightsEnum") -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / entry.url.rpartition("/")[2]
