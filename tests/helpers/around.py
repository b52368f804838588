"""A run with a winner, made by hand: what `--around` reads of it."""

from pathlib import Path

from search.records.folder import RunFolder
from search.settings.settings import Settings, preset_settings
from trainables.config import FineTuneConfig
from trainables.models.weights import weights_id
from trainables.storage import journal
from trainables.storage.files import write_json

NAMES = ("cat", "deer", "dog", "ship")
# Of 10 pictures a class: cat and dog are confused most, then cat and deer; ship with nothing.
CONFUSION = [[5, 1, 4, 0], [1, 9, 0, 0], [3, 0, 7, 0], [0, 0, 0, 10]]
WINNER = FineTuneConfig(
    resolution_px=96, head_epochs=2, finetune_epochs=5, early_stopping_epochs=3, head_lr=0.004
)


def make_winner(
    root: Path,
    *,
    names: tuple[str, ...] = NAMES,
    confusion: list[list[int]] = CONFUSION,
    config: FineTuneConfig = WINNER,
    **settings: object,
) -> RunFolder:
    """Trial 4's epoch 2 has won; another epoch and another trial have other confusions."""
    run = RunFolder(root)
    run.root.mkdir(parents=True)
    values = Settings(**{**preset_settings("demo"), **settings}).to_dict()
    weights = {"id": weights_id("resnet18", "embedded")}
    experiment = {"format_version": 1, "settings": values, "class_names": list(names)}
    experiment["weights"] = weights
    write_json(run.experiment, experiment)
    even = [[1] * len(names)] * len(names)
    for trial, told in ((3, [even]), (4, [even, confusion])):
        journal.append(run.journal, "started", trial=trial, config=config.to_dict(), params={})
        for epoch, counts in enumerate(told, start=1):
            report = {"epoch": epoch, "val_macro_f1": 0.1 * trial * epoch, "val_confusion": counts}
            journal.append(run.journal, "reported", trial=trial, report=report)
        journal.append(run.journal, "finished", trial=trial)
    write_json(run.best, {"trial": 4, "epoch": 2, "config": config.to_dict()})
    return run
