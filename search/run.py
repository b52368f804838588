"""`python -m search.run`: the search, from settings to a run folder with a winner."""

import json
import sys
from collections.abc import Sequence

from search.cli import parse_settings, run_main
from search.run_folder import RunFolder, choose_folder
from search.settings import Settings
from spaces.registry import check_space
from trainables.config import FineTuneConfig


def main(arguments: Sequence[str]) -> None:
    """Check everything that can be checked, then search; the run folder is made last."""
    settings = parse_settings(arguments)
    check_space(settings.space, settings.base_config(precision="float32"))
    folder = choose_folder(settings.storage, settings.name, settings.preset, resume=settings.resume)
    if settings.dry_run:
        print(json.dumps({**settings.to_dict(), "run_folder": str(folder.root)}, indent=2))
        return
    search(settings, folder)


def search(settings: Settings, folder: RunFolder) -> None:
    """Everything heavy is imported here, after the arguments have been checked."""
    from search import preparation, summary, tuner
    from search.disk import enough_room
    from search.environment import check_gpus, choose_precision
    from search.lock import only_driver
    from search.packing import pack_gpus

    if settings.gpus_per_trial and not tuner.cluster_is_remote():
        import torch

        check_gpus(settings, num_gpus=torch.cuda.device_count(), where="this machine")
    if settings.resume:
        # What the run was begun with: "auto" may mean something else on this machine.
        base, new = FineTuneConfig.from_dict(folder.read_experiment()["base_config"]), None
    else:
        base = settings.base_config(precision=choose_precision(settings))
        new = preparation.begin(settings, folder, base)
    with only_driver(folder.root), enough_room(folder.root):
        data = new or preparation.continue_with(settings, folder)
        print(f"cluster      {tuner.connect(settings)}")
        settings = pack_gpus(settings)
        record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)


if __name__ == "__main__":
    sys.exit(run_main(main))
