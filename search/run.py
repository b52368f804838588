"""`python -m search.run`: the search, from settings to a run folder with a winner."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from search.cli import parse_call
from search.design import Design, design_around
from search.early import check_gpu_devices, check_gpus, check_new_run, cluster_is_remote
from search.run_folder import RunFolder, choose_folder
from search.settings import Settings
from trainables.command import run_main
from trainables.config import FineTuneConfig


def main(arguments: Sequence[str]) -> None:
    """Check everything that can be checked, then search; the run folder is made last."""
    settings, call = parse_call(arguments)
    stem = f"{Path(settings.around).resolve().name}-cures" if settings.around else settings.preset
    folder = choose_folder(settings.storage, settings.name, stem, resume=settings.resume)

    from search.finished import tell_if_finished
    from spaces.registry import rehearse

    if settings.resume and tell_if_finished(settings, folder):
        return
    base = settings.base_config(precision="float32")
    rehearsal = rehearse(settings.space, base)
    design = None if settings.resume else design_around(settings, base)
    check_gpu_devices(settings)
    if not settings.resume:
        check_new_run(settings)
    if settings.dry_run:
        from search.dry_run import as_json, as_text

        told = (settings, folder, rehearsal, design)
        print(as_json(*told) if call.json else "\n".join(as_text(*told)))
        return
    search(settings, folder)


def search(settings: Settings, folder: RunFolder) -> None:
    """Everything heavy is imported here, after the arguments have been checked."""
    from search import intervene, preparation, summary, tuner
    from search.diagnosis import diagnose
    from search.disk import enough_room
    from search.environment import choose_precision
    from search.lock import only_driver
    from search.packing import pack_gpus

    if settings.gpus_per_trial and not cluster_is_remote():
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
        print(f"cluster      {tuner.connect(settings)}")
        settings = pack_gpus(settings)
        if design:
            summary.print_arms_summary(intervene.train_arms(design, folder, settings), folder)
            return
        record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)
    diagnose(record, settings, folder)


if __name__ == "__main__":
    sys.exit(run_main(main))
