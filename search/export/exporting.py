"""An export: written beside its place, reloaded in a fresh process, compared, then moved there."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch.export import ExportedProgram

from search.export.licences import BACKBONE_LICENSE
from search.export.model_card import licence_of_model, model_card
from search.records.folder import RunFolder
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.errors import RunError
from trainables.models.checkpoints import TrainedModel, load_trained
from trainables.models.exported import save_exported
from trainables.models.formats import FILES
from trainables.models.graphs import save_onnx, save_program, trace
from trainables.storage import journal

NUM_PROBES = 256  # pictures on which every file must say what the checkpoint says
BATCH_SIZE = 51  # five batches of 51 and one of 1: the batch is not fixed
# The final model was trained on the validation pictures as well: it has a note instead of figures.
PROVENANCE = ("trial", "epoch", "val_macro_f1", "val_accuracy", "num_images", "note")
CARD = "README.md"


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """How a format is written and proven.

    Attributes:
        tolerance: of a logit of the reloaded file.
        save_graph: writes the traced network; None of the format that every export has.
    """

    tolerance: float
    save_graph: Callable[[ExportedProgram, tuple[str, ...], Path], None] | None = None


# One row for each of `FILES`. PyTorch elsewhere may sum in another order; onnxruntime also merges
# each BatchNorm into its convolution.
FORMATS = {
    "safetensors": ExportFormat(tolerance=1e-4),
    "torch-export": ExportFormat(tolerance=1e-4, save_graph=save_program),
    "onnx": ExportFormat(tolerance=1e-3, save_graph=save_onnx),
}


def export_run(run: RunFolder, formats: Sequence[str], *, final: bool) -> None:
    """Export a run's best checkpoint, or its final model, and say what was compared.

    Args:
        run: whose records were found readable.
        formats: keys of `FILES`, "safetensors" among them.
        final: the model that was trained on all pictures.

    Raises:
        RunError: a reloaded file answers otherwise; an earlier export is as it was.
    """
    experiment = run.read_experiment()
    best = run.read_final() if final else run.read_best()
    goal = run.export_final if final else run.export
    trained = load_trained(run.checkpoint(best))
    probes = probe_pictures(DataSpec.from_dict(experiment["data"]))
    figures = {name: best[name] for name in PROVENANCE if name in best}
    provenance = figures | {"run": experiment["name"], "git_commit": experiment["git_commit"]}
    with tempfile.TemporaryDirectory(dir=run.root, prefix=".export.") as scratch:
        made = Path(scratch) / "export"
        made.mkdir()
        save_all(trained, made, formats, provenance=provenance)
        lines = [proven(trained, made, form, probes) for form in formats]
        (made / CARD).write_text(model_card(run, best, formats, final=final))
        if text := licence_of_model(run, best).text:
            (made / BACKBONE_LICENSE).write_text(text)
        if goal.exists():
            goal.rename(Path(scratch) / "earlier")
        made.rename(goal)
    journal.append(run.journal, "exported", folder=goal.name, formats=[*formats], **figures)
    reached = (
        f"trained on all {best['num_images']:,} pictures, nothing held out"
        if final
        else f"validation macro-F1 {best['val_macro_f1']:.3f}"
    )
    where = run.shown(goal)
    print(f"exported     {where}: trial {best['trial']}, epoch {best['epoch']}, {reached}")
    print(*lines, sep="\n")
    print(f"card         {where}/{CARD}")


def save_all(
    trained: TrainedModel, folder: Path, formats: Sequence[str], *, provenance: dict[str, Any]
) -> None:
    """Write the file of every format into an existing folder; the network is traced once."""
    save_exported(trained, folder, provenance=provenance)
    writers = {FILES[form]: FORMATS[form].save_graph for form in formats}
    program = trace(trained) if any(writers.values()) else None
    for file, save_graph in writers.items():
        if save_graph and program:
            save_graph(program, trained.class_names, folder / file)


def probe_pictures(spec: DataSpec) -> npt.NDArray[np.uint8]:
    """Validation pictures, and training pictures where there are too few: uint8 (N, S, S, 3)."""
    data = load_training(spec)
    return np.concatenate([data.val.images, data.train.images])[:NUM_PROBES]


def proven(trained: TrainedModel, folder: Path, form: str, images: npt.NDArray[np.uint8]) -> str:
    """A line that says how closely a file answers as the model; RunError when it does not."""
    worst, tolerance = (
        largest_difference(trained, folder, images, form=form),
        FORMATS[form].tolerance,
    )
    if not worst <= tolerance:
        raise RunError(
            f"the logits of the reloaded {FILES[form]} differ by up to {worst:.2g}; allowed: "
            f"{tolerance:g} and the same classes; nothing was exported, please report this"
        )
    size = (folder / FILES[form]).stat().st_size
    return (
        f"{form:<12} {FILES[form]}, {size / 1e6:.1f} MB, reloaded in a fresh process: "
        f"{len(images)} pictures, same classes, logits within {worst:.1e} (allowed {tolerance:.0e})"
    )


def largest_difference(
    trained: TrainedModel, folder: Path, images: npt.NDArray[np.uint8], *, form: str
) -> float:
    """The largest difference of a logit between a model here and its file run elsewhere.

    Infinite when one picture's class is another.
    """
    with tempfile.TemporaryDirectory() as scratch:
        paths = [str(Path(scratch) / f"{i:03d}.png") for i in range(len(images))]
        for path, image in zip(paths, images, strict=True):
            Image.fromarray(image).save(path)
        flags = ("--json", "--format", form, "--batch-size", str(BATCH_SIZE))
        command = [sys.executable, "-m", "trainables.predict", *flags, "--", str(folder), *paths]
        process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise RunError(
            f"the reloaded {FILES[form]} cannot predict ({process.stderr.strip()}); nothing was "
            "exported, please report this"
        )
    pictures = json.loads(process.stdout)["pictures"]
    here = trained.predict_logits(images)
    there = np.array([picture["logits"] for picture in pictures], np.float32)
    names = [trained.class_names[best] for best in here.argmax(axis=1)]
    if names != [picture["class"] for picture in pictures]:
        return float("inf")
    return float(np.abs(here - there).max())
