"""`python -m search.run`: the search, from settings to a run folder with a winner."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from search.cli import parse_call
from search.design import Design, design_around
from search.early import check_gpu_devices, check_gpus, check_new_run
from search.record import RunRecord
from search.run_folder import RunFolder, choose_address, opened
from search.settings import Settings
from trainables.command import run_main
from trainables.config import FineTuneConfig


def main(arguments: Sequence[str]) -> None:
    """Check everything that can be checked, then search; the run folder is made last."""
    settings, call = parse_call(arguments)
    stem = f"{Path(settings.around).resolve().name}-cures" if settings.around else settings.preset
    address = choose_address(settings.storage, settings.name, stem, resume=settings.resume)

    from search.finished import tell_if_finished
    from spaces.registry import rehearse

    if settings.resume and tell_if_finished(settings, RunFolder.at(address)):
        return
    base = settings.base_config(precision="float32")
    rehearsal = rehearse(settings.space, base)
    design = None if settings.resume else design_around(settings, base)
    check_gpu_devices(settings)
    if not settings.resume:
        check_new_run(settings)
    if settings.dry_run:
        from search.dry_run import as_json, as_text

        told = (settings, address, rehearsal, design)
        print(as_json(*told) if call.json else "\n".join(as_text(*told)))
        return
    with opened(address, checkpoints=False) as folder:
        record = search(settings, folder)
    if record:
        from search.diagnosis import diagnose

        diagnose(record, settings, address)


def search(settings: Settings, folder: RunFolder) -> RunRecord | None:
    """The search, or None where arms were trained instead.

    Everything heavy is imported here, after the arguments have been checked.
    """
    from search import cluster, intervene, preparation, summary, tuner
    from search.disk import enough_room
    from search.environment import choose_precision
    from search.lock import only_driver
    from search.packing import pack_gpus

    if settings.gpus_per_trial and cluster.find_cluster(settings.address)[0] == cluster.LOCAL:
        import torch

        check_gpus(settings, num_gpus=torch.cuda.device_count(), where="this machine")
    if settings.resume:
        # What the run was begun with: "auto" may mean something else on this machine.
        experiment, new = folder.read_experiment(), None
        folder.keep_weights(settings.weights)
        base = FineTuneConfig.from_dict(experiment["base_config"])
        design = Design.of(experiment)
    else:
        base = settings.base_config(precision=choose_precision(settings))
        design = design_around(settings, base)
        if design:
            settings = replace(settings, num_trials=design.num_runs)
        new = preparation.begin(settings, folder, base, design)
    if folder.is_pulled:
        print(f"copy         {folder.root} (tensorboard --logdir), pushed to {folder.address}")
    with only_driver(folder.root), enough_room(folder.root):
        data = new or preparation.continue_with(settings, folder)
        print(f"cluster      {cluster.connect(settings)}")
        settings = pack_gpus(settings)
        if design:
            summary.print_arms_summary(intervene.train_arms(design, folder, settings), folder)
            return None
        record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)
    return record


if __name__ == "__main__":
    sys.exit(run_main(main))
