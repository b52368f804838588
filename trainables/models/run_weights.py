"""The backbone weights that a run was made on, when what it calls them is no more what it was.

A run's trials name their weights ("embedded", or a file's path), and its record says which content
that was: `weights.id` in experiment.json, and in every checkpoint. A later release may embed
another net, and files are moved. `--weights PATH` then gives the file: its hash is compared and it
is copied to `weights/` in the run folder, where every later command and every worker finds it by
its content. What was saved on other weights than those at hand is never loaded.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from trainables.errors import UserError
from trainables.models.weight_paths import (
    absolute,
    file_sha256,
    file_suffix,
    is_file_name,
    join_place,
    split_place,
)
from trainables.models.weights import (
    EMBEDDED_FILE,
    EMBEDDED_SHA256,
    NAMES,
    check_weights,
    weights_id,
)
from trainables.storage import journal
from trainables.storage.layout import EXPERIMENT, JOURNAL, TRIALS_FOLDER

WEIGHTS_HELP = "the file of the run's recorded weights, where they are not here any more"
FOLDER = "weights"  # in a run folder
CHECKPOINT = "state.json"
# What "embedded" was where a run's trials are on record, and neither it nor a checkpoint says so.
FIRST_EMBEDDED = "embedded sha256:7d8cdc874fe0f3155ee6654877b921ef3ef312d11c16a8801094bb035fa43410"
FILES_OF_RELEASES = {
    FIRST_EMBEDDED.partition("sha256:")[2]: "resnet18_tinyimagenet.safetensors",
    EMBEDDED_SHA256: EMBEDDED_FILE,
}


def content_of(identity: str) -> str:
    """What of a `weights_id` says which tensors they are: the hash, with the place in the file."""
    return identity.partition("sha256:")[2] or identity


def same_content(first: str, second: str) -> bool:
    """Whether two identities are of the same tensors, whatever they are called."""
    return content_of(first) == content_of(second)


def recorded_name(root: Path) -> str:
    """What a run calls its weights."""
    name: str = _experiment(root)["settings"]["weights"]
    return name


def recorded_id(root: Path) -> str:
    """The `weights_id` of a run's own weights; "" where nothing on record tells it.

    Runs of earlier releases have it in their checkpoints alone.
    """
    experiment = _experiment(root)
    if "weights" in experiment:
        return str(experiment["weights"]["id"])
    name = recorded_name(root)
    for path in sorted(root.glob(f"{TRIALS_FOLDER}/*/checkpoint_*/{CHECKPOINT}")):
        saved = read_identity(path.parent)
        if saved and saved[0] == name:
            return saved[1]
    was_trained = any(event["event"] == "reported" for event in journal.read(root / JOURNAL))
    return FIRST_EMBEDDED if name == "embedded" and was_trained else ""


def read_identity(checkpoint: Path) -> tuple[str, str] | None:
    """What a checkpoint calls its weights, and their `weights_id`; None where it is damaged."""
    try:
        record = json.loads((checkpoint / CHECKPOINT).read_text())
        return str(record["config"]["weights"]), str(record["weights_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def weights_of_run(root: Path, given: str = "") -> str:
    """From where a run's weights are loaded now: what it calls them, or a file in their place.

    Args:
        root: of the run.
        given: with --weights, a file in their place or the run's own name for them; "": neither.

    Raises:
        UserError: they are not here, or `given` is something else.
    """
    name, identity = recorded_name(root), recorded_id(root)
    backbone = _experiment(root)["settings"]["backbone"]
    other = given if given and absolute(given) != absolute(name) else ""
    if other and not is_file_name(other):
        raise UserError(
            f"--weights is {other!r}, but the run was started with {name!r}; allowed: the same, or "
            f"{_described(name, identity)}; leave it out, or start a new run instead"
        )
    if other:
        _check_given(other, name, identity)
    if name in NAMES and name != "embedded":
        return name
    try:
        return find_weights(backbone, name, identity, near=root)
    except _MissingError:
        if not other:
            raise
        return join_place(split_place(absolute(other))[0], content_of(identity).partition("#")[2])


def keep_weights(root: Path, given: str = "") -> None:
    """See that a run's weights are at hand, and keep a file that was given in their place.

    Raises:
        UserError: as `weights_of_run`; the run folder is as it was.
    """
    here, folder = weights_of_run(root, given), root / FOLDER
    path, _ = split_place(here)
    if here == recorded_name(root) or not is_file_name(here) or path.parent == folder:
        return
    folder.mkdir(exist_ok=True)
    file, part = tempfile.mkstemp(dir=folder, prefix=".")  # hidden: no part of the run
    os.close(file)
    try:
        shutil.copyfile(path, part)
        os.chmod(part, 0o644)
        os.replace(part, folder / f"{file_sha256(Path(part))}{file_suffix(path)}")
    finally:
        Path(part).unlink(missing_ok=True)


def find_weights(backbone: str, name: str, identity: str, *, near: Path) -> str:
    """From where weights that a record names and identifies are loaded now.

    Args:
        backbone: torchvision's name.
        name: of the record: one of `NAMES`, or a file.
        identity: their `weights_id`; "": not on record.
        near: a folder in the run, or the run's: its `weights/` may have them.

    Raises:
        UserError: they are not here. The line names them and says how to give them.
    """
    is_here = name in NAMES or not check_weights(backbone, name)
    found = weights_id(backbone, name) if is_here else "no such file"
    if is_here and (not identity or same_content(found, identity)):
        return absolute(name)
    sha256, _, place = content_of(identity).partition("#")
    for folder in (near, *near.parents):
        for path in (folder / FOLDER).glob(f"{sha256}.*"):
            if file_sha256(path) == sha256:
                return join_place(path, place)
        if (folder / EXPERIMENT).is_file():  # the run ends here
            break
    raise _MissingError(
        f"the run's backbone weights {name!r} are not here (found {found}); allowed: "
        f"{_described(name, identity)}; give that file with --weights PATH, and the run keeps a "
        "copy of it"
    )


class _MissingError(UserError):
    """The weights are not here."""


def stand_ins(root: Path) -> dict[str, str]:
    """The file in place of what a run's configurations call their weights; {} where none is."""
    name, here = recorded_name(root), weights_of_run(root)
    return {} if here == name else {name: here}


def _check_given(given: str, name: str, identity: str) -> None:
    path, place = split_place(given)
    sha256, _, recorded_place = content_of(identity).partition("#")
    found = f"sha256 {file_sha256(path)}" if path.is_file() else "no file"
    if found != f"sha256 {sha256}" or place not in ("", recorded_place):
        raise UserError(
            f"--weights is {given!r} ({found}), but the run was started with {name!r}; allowed: "
            f"{_described(name, identity)}; correct the path, or start a new run"
        )


def _described(name: str, identity: str) -> str:
    """Such as "resnet18_tinyimagenet.safetensors (sha256 7d8c...)"."""
    sha256, _, place = content_of(identity).partition("#")
    file = FILES_OF_RELEASES.get(sha256, Path(split_place(name)[0]).name)
    inside = f", its {place}" if place else ""
    return f"{file} ({f'sha256 {sha256}' if sha256 else 'whose hash is not on record'}{inside})"


def _experiment(root: Path) -> dict[str, Any]:
    experiment: dict[str, Any] = json.loads((root / EXPERIMENT).read_text())
    return experiment
