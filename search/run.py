"""`python -m search.run`: the search, from settings to a run folder with a winner."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from search.cli import parse_settings, run_main
from search.run_folder import FORMAT_VERSION, RunFolder, choose_folder, write_json
from search.settings import Settings
from spaces.registry import check_space


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
    from search import summary, tuner
    from search.environment import check_gpus, choose_precision, describe
    from search.preparation import prepare

    if settings.gpus_per_trial and not tuner.cluster_is_remote():
        import torch

        check_gpus(settings, num_gpus=torch.cuda.device_count(), where="this machine")
    base = settings.base_config(precision=choose_precision(settings))
    data = prepare(settings, folder, base)
    if not settings.resume:
        write_json(
            folder.experiment,
            {
                "format_version": FORMAT_VERSION,
                "name": folder.root.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "settings": settings.to_dict() | {"name": folder.root.name},
                "space": settings.space,
                "seed": settings.seed,
                "data": settings.data_spec.to_dict(),
                "data_fingerprint": data.fingerprint,
                "class_names": list(data.pictures.train.class_names),
                "base_config": base.to_dict(),
                **describe(),
            },
        )
    print(f"cluster      {tuner.connect(settings)}")
    record = tuner.run_search(settings, folder, data.pictures, base)
    summary.print_summary(record, folder)


if __name__ == "__main__":
    sys.exit(run_main(main))
