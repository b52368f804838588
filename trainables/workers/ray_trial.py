"""A trial as Tune sees it: a trainable that hands its configuration to a slot and relays reports.

Tune starts one `FineTuneTrial` (the driver, which costs no CPU) for each trial that runs at a time
and resets it for the next trial; with it stays its slot, a Ray Train run whose workers train.
"""

from typing import Any

from ray import tune

from trainables.workers.slot import SharedTrialInputs, Slot


def trial_folder(number: int) -> str:
    """The name of a trial's folder under `trials/`."""
    return f"trial_{number:04d}"


class FineTuneTrial(tune.Trainable):
    """Trains {"number", "config"}; each step is an epoch's report.

    A driver that is started again (by Tune, or by `--resume`) goes on from the newest readable
    checkpoint in the trial's folder, and reports the epochs before it once more.
    """

    def setup(self, config: dict[str, Any], shared: SharedTrialInputs) -> None:
        self._shared = shared
        self._slot = Slot(shared.resources)
        self._assign(config)

    def step(self) -> dict[str, Any]:
        report = self._slot.next_report()
        return report | {"done": report.get("finished", "failure" in report)}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._assign(new_config)
        return True

    def cleanup(self) -> None:
        self._slot.close()

    def _assign(self, config: dict[str, Any]) -> None:
        self._slot.assign(
            {
                "config": config["config"],
                "data": self._shared.datasets[config["config"]["seed"]],
                "folder": f"{self._shared.trials_dir}/{trial_folder(config['number'])}",
                "reuse": self._shared.reuse,
                "weights": self._shared.stand_ins.get(config["config"]["weights"], ""),
            }
        )
