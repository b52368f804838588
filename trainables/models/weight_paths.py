"""`--weights FILE` and `--weights FILE#PLACE` as text: which file, and which place inside it."""

import hashlib
from pathlib import Path

FILE_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".tar", ".bin")  # .pth.tar among them
MARK = "#"


def split_place(weights: str) -> tuple[Path, str]:
    """The file, and the dotted place inside it; "" where none is named.

    A file whose own name has the mark in it is that file, as long as it is there.
    """
    whole = Path(weights).expanduser()
    path, mark, place = weights.rpartition(MARK)
    if mark and path.endswith(FILE_SUFFIXES) and not whole.is_file():
        return Path(path).expanduser(), place
    return whole, ""


def join_place(path: Path | str, place: str) -> str:
    """The inverse of `split_place`."""
    return f"{path}{MARK}{place}" if place else str(path)


def is_file_name(weights: str) -> bool:
    """Whether it is called like a file of weights, there or not."""
    return split_place(weights)[0].name.endswith(FILE_SUFFIXES)


def absolute(weights: str) -> str:
    """A file by its absolute path, so that processes in other folders find it; a name as it is."""
    if not is_file_name(weights):
        return weights
    path, place = split_place(weights)
    return join_place(path.absolute(), place)


def without_folder(weights: str) -> str:
    """A file by its name alone, for what travels; a name as it is."""
    if not is_file_name(weights):
        return weights
    path, place = split_place(weights)
    return join_place(path.name, place)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_suffix(path: Path) -> str:
    """Such as ".safetensors", or ".pth.tar"."""
    return next(s for s in (".pth.tar", *FILE_SUFFIXES) if path.name.endswith(s))
