"""`--final`: the winner's configuration once more, on training and validation pictures together.

It is trained with the run's own seed up to the epoch that the search chose, which is what the
confirmation has measured. Nothing is held out, so there is no epoch to choose and no figure to
show: what a validation would say of pictures that were trained on is not written down.
"""

from typing import Any

import numpy as np

from search.monitoring.lines import FreshProgress
from search.records.folder import RunFolder
from search.settings.settings import Settings
from search.tuning.fixed_list import train_fixed_list
from trainables.data.images import ImageSet
from trainables.errors import RunError
from trainables.models.checkpoint_folders import folder_name
from trainables.storage import journal
from trainables.storage.files import write_json
from trainables.training.epoch_report import REPORT_FIELDS
from trainables.training.pictures import TrialData
from trainables.workers.ray_trial import trial_folder

FORMAT_VERSION = 1
NOTE = (
    "Trained on the training and the validation pictures together, up to the epoch that the search "
    "chose. Nothing was held out, so it has no validation figure of its own: the nearest estimate "
    "is the mean over fresh seeds in confirm.json, of models trained on fewer pictures."
)
PLATEAU_NOTE = " Its plateau schedule watched the loss of pictures that it trained on."


def retrain(
    run: RunFolder, winner: dict[str, Any], pictures: TrialData, settings: Settings
) -> dict[str, Any]:
    """Train the winner's final model, or the rest of it; returns the contents of final.json.

    Args:
        run: the run; the model goes to RUN/final, its record to RUN/final.json.
        winner: its configuration's entry in confirm.json.
        pictures: of the run's own split.
        settings: of the run.

    Raises:
        RunError: the training failed or was cut short.
    """
    folder = run.inside("final")
    folder.root.mkdir(exist_ok=True)
    config = winner["config"] | {"last_epoch": winner["epoch"], "early_stopping_epochs": 0}
    data = TrialData(
        train=together(pictures.train, pictures.val),
        val=pictures.val,  # the loop wants one; nothing is decided by it
        data_seed=pictures.data_seed,
    )
    number = winner["trial"]
    record = train_fixed_list(
        [{"number": number, "config": config, "params": {}}],
        folder,
        {config["seed"]: data},
        settings,
        run=run,
        listeners=(FreshProgress({number: (number, config["seed"])}),),
        kept_trials=1,
        report_fields=tuple(name for name in REPORT_FIELDS if not name.startswith("val_")),
    )
    trained = record.trials[number]
    if trained.status != "finished":
        raise RunError(
            f"the final training of trial {number} {trained.status} ({trained.cause or 'no cause'})"
            f"; delete {folder.root} to try it again"
        )
    epoch = trained.reports[-1]["epoch"]
    path = folder.trials / trial_folder(number) / folder_name(epoch)
    final = {
        "format_version": FORMAT_VERSION,
        "trial": number,
        "epoch": epoch,
        "config": config,
        "checkpoint": str(path.relative_to(run.root)),
        "num_images": len(data.train),
        "note": NOTE + (PLATEAU_NOTE if config["schedule"] == "plateau" else ""),
    }
    write_json(run.final, final)
    journal.append(run.journal, "retrained", trial=number, epoch=epoch)
    return final


def together(first: ImageSet, second: ImageSet) -> ImageSet:
    """Both sets' pictures, in this order."""
    return ImageSet(
        images=np.concatenate([first.images, second.images]),
        labels=np.concatenate([first.labels, second.labels]),
        class_names=first.class_names,
    )
