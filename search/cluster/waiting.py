"""Waits until the cluster can hold a trial, which its first node may take minutes to allow."""

import time

from search.autoscaler import autoscaler_says
from search.cluster.capacity import living_nodes, shape, slots, worker_resources
from search.monitoring.lines import duration
from search.scouts import Scouts
from search.settings.settings import Settings
from trainables.errors import UserError

LINE_SECONDS = 30.0  # between two lines of progress
LOOK_SECONDS = 1.0  # between two looks at the cluster


def wait_for_room(settings: Settings, where: str) -> None:
    """Return once the connected cluster, `where`, can hold one trial; call for nodes meanwhile.

    Raises:
        UserError: it could not within `--wait-for-gpu` minutes.
    """
    started, scouts, line_due = time.monotonic(), Scouts(settings), 0.0
    try:
        while not slots(settings, living_nodes()):
            waited = time.monotonic() - started
            if waited >= settings.wait_for_gpu * 60:
                raise UserError(_never_came(settings, where))
            scouts.keep(1)
            if waited >= line_due:
                print(
                    f"waiting      {duration(waited)} of {duration(settings.wait_for_gpu * 60)} "
                    f"for {_room(settings)} in {where}: {autoscaler_says()}",
                    flush=True,
                )
                line_due += LINE_SECONDS
            time.sleep(LOOK_SECONDS)
    finally:
        scouts.keep(0)


def _never_came(settings: Settings, where: str) -> str:
    return (
        f"a trial wants {_room(settings)}, which {where} ({shape(living_nodes())}) had not within "
        f"--wait-for-gpu {settings.wait_for_gpu:g} minutes: {autoscaler_says()}; allowed: less a "
        "trial (--gpus-per-trial, --cpus-per-trial, --workers-per-trial), a longer wait, or "
        "another cluster (--address)"
    )


def _room(settings: Settings) -> str:
    """Such as "2 x 1 GPU and 2 cores"."""
    per_worker = worker_resources(settings)
    parts = [f"{per_worker[name]:g} {word}" for name, word in UNITS.items() if name in per_worker]
    workers = f"{settings.workers_per_trial} x " if settings.workers_per_trial > 1 else ""
    return workers + " and ".join(parts) + " on one node"


UNITS = {"GPU": "GPU", "CPU": "cores"}
