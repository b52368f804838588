"""`python -m search.run`: the search, from settings to a run folder with a winner."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from search.cli import parse_settings, run_main
from search.design import Design, design_around
from search.run_folder import RunFolder, choose_folder
from search.settings import Settings
from spaces.registry import check_space
from trainables.config import FineTuneConfig


def main(arguments: Sequence[str]) -> None:
    """Check everything that can be checked, then search; the run folder is made last."""
    settings = parse_settings(arguments)
    base = settings.base_config(precision="float32")
    check_space(settings.space, base)
    stem = f"{Path(settings.around).resolve().name}-cures" if settings.around else settings.preset
    folder = choose_folder(settings.storage, settings.name, stem, resume=settings.resume)
    design = None if settings.resume else design_around(settings, base)
    if settings.dry_run:
        told = {**settings.to_dict(), "run_folder": str(folder.root)}
        if design:
            told |= {"num_trials": design.num_runs, "interventions": design.to_dict()}
        print(json.dumps(told, indent=2))
        return
    search(settings, folder)


def search(settings: Settings, folder: RunFolder) -> None:
    """Everything heavy is imported here, after the arguments have been checked."""
    from search import cluster, intervene, preparation, summary, tuner
    from search.diagnosis import diagnose
    from search.disk import enough_room
    from search.environment import check_gpus, choose_precision
    from search.lock import only_driver
    from search.packing import pack_gpus

    if settings.gpus_per_trial and cluster.find_cluster(settings.address)[0] == cluster.LOCAL:
        import torch

        check_gpus(settings, num_gpus=torch.cuda.device_count(), where="this machine")
    if settings.resume:
        # What the run was begun with: "auto" may mean something else on this machine.
        experiment, new = folder.read_experiment(), None
        base = FineTuneConfig.from_dict(experiment["base_config"])
        design = Design.of(experiment)
    else:
        base = settings.base_config(precision=choose_precision(settings))
        design = design_around(settings, base)
        if design:
            settings = replace(settings, num_trials=design.num_runs)
        new = preparation.begin(settings, folder, base, design)
    with only_driver(folder.root), enough_room(folder.root):
        data = new or preparation.continue_with(settings, folder)
        print(f"cluster      {cluster.connect(settings)}")
        settings = pack_gpus(settings)
        if design:
            intervene.print_next(intervene.train_arms(design, folder, settings), folder)
            return
        record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)
    diagnose(record, settings, folder)


if __name__ == "__main__":
    sys.exit(run_main(main))
