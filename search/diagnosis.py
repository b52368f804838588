"""A winner that is not clear of the gate gets its diagnostic report without being asked for."""

import math
import subprocess
import sys
from pathlib import Path

from search.records.record import OBJECTIVE, RunRecord
from search.settings.settings import Settings
from trainables.training.evaluation import GATE

Z = 1.96  # 95 % of a normal distribution


def diagnose(record: RunRecord, settings: Settings, address: str) -> None:
    """Run `analysis.report` where the winner may lie below the gate (decks A and B).

    The report is a process of its own: it opens the sealed test, and the search does not.

    Args:
        record: of the search.
        settings: of the run.
        address: of the run, which nobody works on meanwhile.
    """
    best = record.best_trial
    if not settings.diagnose or best is None or best.best is None:
        return
    value = best.best[OBJECTIVE]
    if is_clear_of_gate(value, settings.val_size):
        return
    print(f"\ndiagnosis    validation macro-F1 {value:.3f} is not clear of the {GATE:.0%} gate")
    command = [sys.executable, "-m", "analysis.report", address]
    if subprocess.run(command, cwd=Path(__file__).parents[1]).returncode:
        print("diagnosis    the report could not be written; the search is whole all the same")


def is_clear_of_gate(macro_f1: float, num_images: int) -> bool:
    """Whether a macro-F1 lies above the gate by more than the draw of the pictures may explain.

    Its interval is taken to be as wide as an accuracy's (measured on CIFAR-10: no wider).
    """
    half_width = Z * math.sqrt(max(macro_f1 * (1 - macro_f1), 0.0) / num_images)
    return macro_f1 - half_width >= GATE
