"""`python -m search.export RUN`: the best checkpoint as a folder to ship, proven by reloading."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from search.cli import run_main
from search.run_folder import RunFolder
from trainables import journal
from trainables.checkpoints import TrainedModel, load_trained
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.errors import UserError
from trainables.exported import save_exported

NUM_PROBES = 64  # validation pictures on which the reloaded model must say the same
# The final model was trained on the validation pictures as well: it has a note instead of figures.
PROVENANCE = ("trial", "epoch", "val_macro_f1", "val_accuracy", "num_images", "note")
TOLERANCE = 1e-4  # of a logit; another process may sum in another order


def main(arguments: Sequence[str]) -> None:
    """Write the export, reload it in a fresh process, compare; nothing stays when they differ."""
    parser = argparse.ArgumentParser(prog="python -m search.export", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder, such as runs/demo")
    parser.add_argument("--final", action="store_true", help="the model of search.confirm --final")
    options = parser.parse_args(arguments)
    folder = RunFolder(options.run)
    experiment = folder.read_experiment()
    best = folder.read_final() if options.final else folder.read_best()
    goal = folder.export_final if options.final else folder.export
    trained = load_trained(folder.checkpoint(best))
    probes = load_training(DataSpec.from_dict(experiment["data"])).val.images[:NUM_PROBES]
    figures = {name: best[name] for name in PROVENANCE if name in best}
    provenance = figures | {"run": experiment["name"], "git_commit": experiment["git_commit"]}
    with tempfile.TemporaryDirectory(dir=folder.root) as scratch:
        made = Path(scratch) / "export"
        made.mkdir()
        save_exported(trained, made, provenance=provenance)
        worst = largest_difference(trained, made, probes)
        if worst > TOLERANCE:
            raise UserError(
                f"the reloaded model's logits differ by up to {worst:.2g}; allowed: {TOLERANCE}; "
                "nothing was exported, please report this"
            )
        made.rename(_free(goal))
    journal.append(folder.journal, "exported", folder=goal.name, **figures)
    reached = (
        f"trained on all {best['num_images']:,} pictures, nothing held out"
        if options.final
        else f"validation macro-F1 {best['val_macro_f1']:.3f}"
    )
    print(f"exported     {goal}: trial {best['trial']}, epoch {best['epoch']}, {reached}")
    print(
        f"reloaded     in a fresh process: {NUM_PROBES} pictures, same classes, "
        f"logits within {worst:.1e}"
    )


def largest_difference(trained: TrainedModel, export: Path, images: np.ndarray) -> float:
    """The largest difference of a logit between a model here and its export read elsewhere."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [str(Path(scratch) / f"{i:03d}.png") for i in range(len(images))]
        for path, image in zip(paths, images, strict=True):
            Image.fromarray(image).save(path)
        command = [sys.executable, "-m", "trainables.predict", "--json", str(export), *paths]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    here = trained.predict_logits(images)
    names = [trained.class_names[best] for best in here.argmax(axis=1)]
    if names != answer["labels"]:
        return float("inf")
    return float(np.abs(here - np.array(answer["logits"], np.float32)).max())


def _free(path: Path) -> Path:
    """Make room: an earlier export is replaced."""
    if path.exists():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    return path


if __name__ == "__main__":
    sys.exit(run_main(main))
