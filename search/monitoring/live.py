"""The terminal while a search runs, where it is one: a picture, drawn anew every two seconds.

The end of a trial is a line above it, which stays; so does the last picture.
"""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.monitoring.gpus import Gpus, GpuUse
from search.monitoring.lines import PHASES, Progress, describe_end, duration, short, show_loss
from search.monitoring.time_left import Left, Pace, num_epochs
from search.records.record import OBJECTIVE, Listener, RunRecord, Status, TrialRecord

REFRESH_SECONDS = 2  # a picture takes 5 to 10 ms of the search process's CPU (docs/performance.md)
LABEL_WIDTH = 10  # columns
SETTING_LINES = 3  # of the best trial
OTHER_LINES = 14  # of the picture besides the running trials, and some room below it
STATUS: dict[Status, str] = {
    "running": "running", "finished": "finished", "stopped": "stopped by ASHA",
    "failed": "failed", "diverged": "diverged",
}  # fmt: skip


@contextmanager
def progress_of(
    record: RunRecord, *, name: str, num_trials: int, allowed_seconds: Callable[[], float]
) -> Iterator[Listener]:
    """The picture on a terminal that can draw one, else plain lines."""
    # This very stream: whatever takes `sys.stdout`'s place meanwhile writes to this console itself.
    console = Console(file=sys.stdout)
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        yield Progress()
        return
    with LiveView(
        record,
        name=name,
        num_trials=num_trials,
        allowed_seconds=allowed_seconds,
        console=console,
    ) as view:
        yield view


class LiveView(Listener):
    """Use as a context; it shows the record until it is left.

    Args:
        record: of the run; read at each picture, by a thread of its own.
        name: of the run.
        num_trials: that the run wants.
        allowed_seconds: from now on until the run is halted; infinite where nothing halts it.
        console: of the terminal.
        clock: gives seconds.
        gpus: of this machine.
    """

    def __init__(
        self,
        record: RunRecord,
        *,
        name: str,
        num_trials: int,
        allowed_seconds: Callable[[], float] = lambda: math.inf,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        gpus: Callable[[], list[GpuUse]] | None = None,
    ) -> None:
        self._record, self._name, self._num_trials = record, name, num_trials
        self._allowed_seconds = allowed_seconds
        self._console, self._clock = console, clock
        self._gpus = gpus or Gpus().read
        self._started, self._is_over = clock(), False
        self._pace = Pace()
        self._live = Live(
            get_renderable=self.picture,
            console=console,
            refresh_per_second=1 / REFRESH_SECONDS,
        )

    def __enter__(self) -> "LiveView":
        self._live.start(refresh=True)
        return self

    def __exit__(self, *raised: object) -> None:
        self._is_over = True
        self._live.stop()

    def on_epoch(self, record: RunRecord, trial: TrialRecord, report: dict[str, Any]) -> None:
        self._pace.take_in(report, running=len(self._running()), now=self._clock())

    def on_end(self, record: RunRecord, trial: TrialRecord) -> None:
        text = f"trial {trial.number:>3}  {describe_end(trial)}"
        if trial.status == "stopped" and (best := trial.best):  # within 80 columns
            epochs = f"{trial.rung} fine-tune epoch{'s' if trial.rung != 1 else ''}"
            text = (
                f"trial {trial.number:>3}  stopped after {epochs}, best F1 {best[OBJECTIVE]:.3f} "
                f"at epoch {best['epoch']}"
            )
        self._tell(text)

    def on_note(self, record: RunRecord, text: str) -> None:
        self._tell(f"note: {text}")

    def picture(self) -> RenderableType:
        """What is known now."""
        trials = list(self._record.trials.values())
        counts = Counter(trial.status for trial in trials)
        num_ended = len(trials) - counts["running"]
        bar = ProgressBar(total=max(self._num_trials, 1), completed=num_ended)
        left = None
        if not self._is_over:
            left = self._pace.left(self._record, self._num_trials, now=self._clock())
        table = Table.grid(padding=(0, 0))
        table.add_column(width=LABEL_WIDTH, style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("", bar)
        for label, value in self._rows(trials, counts, left):
            table.add_row(label, value)
        title = f"{self._name}: {num_ended} of {self._num_trials} trials have ended"
        return Group(Text(), Text(title, style="bold"), table, *self._running_trials())

    def _rows(
        self, trials: list[TrialRecord], counts: Counter[Status], left: Left | None
    ) -> Iterator[tuple[str, RenderableType]]:
        yield "time", self._time(left)
        shown = [f"{counts[status]} {label}" for status, label in STATUS.items() if counts[status]]
        yield "trials", ", ".join(shown) or "none yet; the first one starts"
        trained = f"{sum(len(trial.reports) for trial in trials)} trained"
        yield "epochs", f"{trained}, about {left.epochs:.0f} to come" if left else trained
        yield from self._best()
        for gpu in self._gpus():
            yield f"GPU {gpu.index}", describe_gpu(gpu)

    def _time(self, left: Left | None) -> str:
        elapsed = f"{duration(self._clock() - self._started)} elapsed"
        if left is None:
            return elapsed
        text = (
            f"{elapsed}, about {about(left.seconds)} left (from {left.seen_epochs} epochs and the "
            f"ends of {left.seen_ends} trial{'s' if left.seen_ends > 1 else ''})"
        )
        allowed = self._allowed_seconds()
        return f"{text}; --max-hours allows {about(allowed)}" if allowed < left.seconds else text

    def _best(self) -> Iterator[tuple[str, RenderableType]]:
        trial = self._record.best_trial
        if trial is None or (best := trial.best) is None:
            return
        figures = f"macro-F1 {best[OBJECTIVE]:.3f}, accuracy {best['val_accuracy']:.3f}"
        line = Text(figures, style="bold")
        yield (
            "best",
            line.append(f"  trial {trial.number}, epoch {best['epoch']}", style="not bold"),
        )
        setting = ", ".join(f"{name} {short(value)}" for name, value in trial.params.items())
        room = SETTING_LINES * max(self._console.width - LABEL_WIDTH, 20)
        yield "", shorten(setting, room, placeholder=" ...")

    def _running(self) -> list[TrialRecord]:
        return [trial for trial in list(self._record.trials.values()) if not trial.ended]

    def _running_trials(self) -> Iterator[RenderableType]:
        running = self._running()
        if self._is_over or not running:
            return
        # As wide as the widest values, and within 80 columns.
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for name, justify in COLUMNS:
            table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        room = max(self._console.height - OTHER_LINES, 3)
        for trial in running[:room]:
            table.add_row(*_cells(trial))
        yield Text()
        yield table
        if len(running) > room:
            yield Text(f"and {len(running) - room} more", style="dim")

    def _tell(self, text: str) -> None:
        elapsed = f"{duration(self._clock() - self._started):>7}"
        self._console.print(
            f"{elapsed}  {text}", markup=False, highlight=False, no_wrap=True, overflow="ellipsis"
        )


COLUMNS = (
    ("trial", "right"), ("phase", "left"), ("epoch", "right"), ("train loss", "right"),
    ("val loss", "right"), ("val F1", "right"), ("best F1", "right"), ("images/s", "right"),
)  # fmt: skip


def describe_gpu(gpu: GpuUse) -> str:
    """A GPU in a line."""
    busy = "-" if gpu.busy_share is None else f"{gpu.busy_share:.0%}"
    used, total = gpu.used_bytes / 2**30, gpu.total_bytes / 2**30
    return f"{busy:>4} busy, {used:.1f} of {total:.1f} GiB, {gpu.name}"


def about(seconds: float) -> str:
    """Rounded as an estimate deserves, such as 40 s, 12 min or 2.5 h."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _cells(trial: TrialRecord) -> list[str]:
    if not trial.reports or (best := trial.best) is None:
        return [str(trial.number), "starts", f"0/{num_epochs(trial)}", *["-"] * 5]
    last = trial.reports[-1]
    return [
        str(trial.number),
        PHASES[last["phase"]],
        f"{last['epoch']}/{num_epochs(trial)}",
        show_loss(last, "train_loss"),
        show_loss(last, "val_loss"),
        f"{last[OBJECTIVE]:.3f}",
        f"{best[OBJECTIVE]:.3f}",
        f"{last['images_per_second']:.0f}",
    ]
