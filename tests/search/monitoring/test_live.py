"""The picture on a terminal, of searches made up."""

import io
import itertools
import math
import sys
from typing import Any

import pytest
from rich.console import Console

from search.cluster.ray_log import ray_output_in
from search.monitoring.gpus import Gpus, GpuUse
from search.monitoring.lines import Progress
from search.monitoring.live import LiveView, about, describe_gpu, progress_of
from search.records.record import RunRecord

CONFIG = {"head_epochs": 1, "finetune_epochs": 3}
GPU = GpuUse(
    index=0, name="NVIDIA H100", busy_share=0.82, used_bytes=12 * 2**30, total_bytes=80 * 2**30
)


def searched() -> RunRecord:
    """Trial 0 finished, 1 was stopped, 2 failed, 3 runs and 4 has not begun its first epoch."""
    record = RunRecord()
    for number, epochs in enumerate((4, 2, 1, 3, 0)):
        params = {"unfreeze": "stage4", "backbone_lr_ratio": 0.123456}
        record.apply({"event": "started", "trial": number, "config": CONFIG, "params": params})
        for epoch in range(1, epochs + 1):
            report = {
                **{"epoch": epoch, "phase": 1 if epoch == 1 else 2, "train_loss": 1.5},
                **{"val_macro_f1": 0.5 + number / 100 + epoch / 1000, "val_accuracy": 0.52},
                **{"images_per_second": 812.3, "epoch_seconds": 10.0},
            }
            record.apply({"event": "reported", "trial": number, "report": report})
    record.apply({"event": "finished", "trial": 0})
    record.apply({"event": "stopped", "trial": 1, "rung": 1})
    record.apply({"event": "failed", "trial": 2, "cause": "out of memory, " * 20})
    return record


def drawn(record: RunRecord, *, width: int = 80, **more: Any) -> tuple[LiveView, list[str]]:
    """A view that has heard of every epoch, and the lines of its picture."""
    out = io.StringIO()
    console = Console(file=out, width=width, height=24, no_color=True)
    view = LiveView(
        record,
        **{"name": "demo", "num_trials": 9, "gpus": list, **more},
        console=console,
        clock=itertools.count(0, 5).__next__,
    )
    for number, report in record.reports:
        view.on_epoch(record, record.trials[number], report)
    console.print(view.picture())
    return view, [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_picture_tells_what_runs_what_ended_and_what_is_best():
    _, lines = drawn(searched())
    text = "\n".join(lines)
    assert "demo: 3 of 9 trials have ended" in text
    assert "2 running, 1 finished, 1 stopped by ASHA, 1 failed" in text
    assert "macro-F1 0.533, accuracy 0.520  trial 3, epoch 3" in text
    assert "unfreeze stage4, backbone_lr_ratio 0.123" in text
    header = next(i for i, line in enumerate(lines) if "train loss" in line)
    assert lines[header + 1].split() == [
        *("3", "finetune", "3/4", "1.5000", "-", "0.533", "0.533", "812")
    ]
    assert lines[header + 2].split()[:3] == ["4", "starts", "0/4"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    _, lines = drawn(searched(), width=width, gpus=lambda: [GPU])
    assert max(map(len, lines)) <= width


def test_the_time_left_says_what_it_is_based_on():
    _, lines = drawn(searched())
    told = " ".join(" ".join(lines).split())
    assert "elapsed, about" in told
    assert "left (from 10 epochs and the ends of 2 trials)" in told
    assert "10 trained, about" in told


def test_without_an_ended_trial_nothing_is_said_of_the_time_left():
    record = searched()
    for trial in record.trials.values():
        trial.status = "running"
    _, lines = drawn(record)
    assert "left" not in "\n".join(lines)
    _, lines = drawn(RunRecord())
    assert "none yet; the first one starts" in "\n".join(lines)


def test_what_halts_the_search_before_is_told():
    _, lines = drawn(searched(), allowed_seconds=lambda: 20.0)
    assert "--max-hours allows 20 s" in " ".join(" ".join(lines).split())


def test_only_so_many_running_trials_as_the_terminal_has_room_for():
    record = searched()
    for number in range(5, 40):
        record.apply({"event": "started", "trial": number, "config": CONFIG, "params": {}})
    _, lines = drawn(record, num_trials=40)
    assert lines[-1] == "and 27 more"
    assert len(lines) < 24


def test_gpus_have_a_line_where_there_are_any():
    _, lines = drawn(searched(), gpus=lambda: [GPU])
    assert next(line for line in lines if line.startswith("GPU 0")).endswith(
        "82% busy, 12.0 of 80.0 GiB, NVIDIA H100"
    )
    assert describe_gpu(GpuUse(**{**vars(GPU), "busy_share": None})).startswith("   - busy")
    assert all(isinstance(use, GpuUse) for use in Gpus().read())


def test_ends_and_notes_stay_above_the_picture_and_the_last_picture_stays():
    record, out = searched(), io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, no_color=True)
    with LiveView(record, name="demo", num_trials=9, console=console, gpus=list) as view:
        view.on_end(record, record.trials[1])
        view.on_end(record, record.trials[2])
        view.on_note(record, "trial 3 is started again: its node died")
    told = out.getvalue()
    assert "trial   1  stopped after 1 fine-tune epoch, best F1 0.512 at epoch 2" in told
    assert "trial   2  failed: out of memory" in told
    assert "note: trial 3 is started again: its node died" in told
    last = told.rpartition("have ended")[2]
    assert "2 running, 1 finished" in last
    assert "train loss" not in last


def test_a_pipe_gets_plain_lines(capsys):
    with progress_of(
        RunRecord(), name="demo", num_trials=1, allowed_seconds=lambda: 1.0
    ) as listener:
        assert isinstance(listener, Progress)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "10 s"), (44.0, "40 s"), (89.0, "90 s"), (90.0, "2 min"), (5399.0, "90 min"),
     (5400.0, "1.5 h"), (36000.0, "10.0 h")],
)  # fmt: skip
def test_rounded_as_an_estimate_deserves(seconds, told):
    assert about(seconds) == told


@pytest.mark.timeout(30)
def test_a_picture_is_drawn_once_while_rays_words_are_kept_apart(tmp_path, monkeypatch):
    """Console -> sys.stdout -> the filter for Ray's words -> Live's proxy -> Console used to be."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    shown = progress_of(RunRecord(), name="mine", num_trials=3, allowed_seconds=lambda: math.inf)
    with shown as view, ray_output_in(tmp_path):
        assert isinstance(view, LiveView)
        print("a line of another's", flush=True)
    told = terminal.getvalue()
    assert "mine: 0 of 3 trials have ended" in told
    assert told.count("a line of another's") == 1
