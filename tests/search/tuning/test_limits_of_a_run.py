"""Time, disk and the lock: what ends a session early, and what may not begin one."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from search.records.disk import enough_room, occupied_bytes, parse_bytes, show_bytes
from search.records.folder import RunFolder, exclusive_access
from search.records.record import RunRecord
from search.settings.settings import Settings
from search.tuning.stopping import SessionStopper, search_seconds
from trainables.errors import UserError
from trainables.storage import journal
from trainables.storage.files import write_json

ROOT = Path(__file__).parents[3]


def record(*epoch_seconds: float) -> RunRecord:
    """A record of whole trials, each of one epoch of so many seconds."""
    made = RunRecord()
    for number, seconds in enumerate(epoch_seconds):
        made.apply({"event": "started", "trial": number, "config": {}, "params": {}})
        report = {"epoch": 1, "val_macro_f1": 0.5, "epoch_seconds": seconds}
        made.apply({"event": "reported", "trial": number, "report": report})
        made.apply({"event": "finished", "trial": number})
    return made


@pytest.mark.parametrize(
    ("trials", "reserved", "concurrent", "expected"),
    [
        ((), 9, 2, 3600),  # nothing is known yet
        ((80, 120), 0, 2, 3600),
        ((80, 120), 9, 2, 3600 - 5 * 120 - 120),  # five rounds of 20 + 100 s, and the report
        ((80, 120), 9, 1, 3600 - 9 * 120 - 120),
        ((1000,), 9, 1, 1800),  # half of the hours at most
    ],
)
def test_time_is_kept_for_confirm_and_report(trials, reserved, concurrent, expected):
    told = search_seconds(
        record(*trials), max_hours=1, reserved_trials=reserved, concurrent=concurrent
    )
    assert told == expected


def test_a_killed_sessions_time_counts_up_to_its_last_report():
    times = ["10:00:00", "10:20:00", "12:00:00", "12:10:00", "12:11:00"]
    events = ["session_started", "reported", "session_started", "reported", "session_ended"]
    made = RunRecord()
    made.apply({"event": "started", "trial": 0, "config": {}, "params": {}})
    for event, time in zip(events, times, strict=True):
        more = {"trial": 0, "report": {"epoch": 1}} if event == "reported" else {}
        made.apply({"event": event, "time": f"2026-01-01T{time}+00:00", **more})
    assert made.elapsed_seconds == 20 * 60 + 11 * 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5GB", 5e9), ("1.5 gb", 1.5e9), ("200MB", 2e8), ("64 KB", 64e3), ("2TB", 2e12), ("7", 7)],
)
def test_sizes(text, expected):
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "much", "5 GiB", "-1GB", "GB", "1e3MB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UserError, match="allowed: a number and KB, MB, GB or TB"):
        parse_bytes(text)


def test_sizes_as_shown():
    assert [show_bytes(n) for n in (999, 12e6, 1.5e9, 3e12)] == [
        *("0.999 KB", "12 MB", "1.5 GB", "3 TB"),
    ]


def test_settings_list_every_fault_of_the_limits():
    with pytest.raises(UserError) as refused:
        Settings(disk_quota="a lot", late_bloomers=1.5, reserve_trials=-1)
    told = " ".join(refused.value.faults)
    for flag in ("--disk-quota", "--late-bloomers", "--reserve-trials"):
        assert flag in told


def test_a_folders_files_are_counted(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "y").write_bytes(b"123")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    link = (tmp_path / "gone").lstat().st_size
    assert occupied_bytes(tmp_path) == 8 + link


def test_the_first_reason_to_halt_stands():
    reasons = iter([None, "the time is up", "later"])
    stopper = SessionStopper(lambda: next(reasons))
    assert [stopper.stop_all(), stopper.stop_all(), stopper.stop_all()] == [False, True, True]
    assert (stopper.reason, stopper.is_fault) == ("the time is up", False)
    stopper.stop("the disk is full", is_fault=True)
    assert not stopper.is_fault
    assert not stopper("a trial", {})


HOLD = (
    "import sys; from pathlib import Path; from search.records.folder import exclusive_access\n"
    "with exclusive_access(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line_on_how_to_go_on(code: int):
    with (
        pytest.raises(UserError, match=r"cannot be written .*free some space.*--resume --name run"),
        enough_room(Path("runs/run")),
    ):
        raise OSError(code, os.strerror(code))


def test_a_file_that_does_not_fit_leaves_the_one_before_and_nothing_else(tmp_path, monkeypatch):
    write_json(tmp_path / "best.json", {"epoch": 1})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "best.json", {"epoch": 2})
    (kept,) = tmp_path.iterdir()
    assert json.loads(kept.read_text()) == {"epoch": 1}


def test_another_fault_of_the_system_stays_what_it_is():
    with pytest.raises(PermissionError), enough_room(Path("runs/run")):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.timeout(60)
def test_two_drivers_on_one_folder_are_refused_and_a_killed_ones_lock_is_free(tmp_path: Path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    first = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout.readline() == "held\n"
    with pytest.raises(UserError, match="in use by another"), exclusive_access(tmp_path):
        pass
    first.kill()
    first.wait()
    with exclusive_access(tmp_path):
        pass


def make(folder: RunFolder, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    with folder.made_whole() as made:
        write_json(made.experiment, {})
        meanwhile()


def test_a_folder_that_another_search_makes_meanwhile_is_refused(tmp_path: Path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match="exists; allowed: a new name"):
        make(folder, meanwhile=lambda: make(folder))
    assert list(tmp_path.iterdir()) == [folder.root]
    assert folder.experiment.exists()


def test_a_folder_whose_making_is_cut_short_does_not_exist(tmp_path: Path):
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(RunFolder(tmp_path / "run"), meanwhile=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_line_that_the_disk_took_only_half_of_never_was(tmp_path: Path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    journal.append(path, "one")
    whole = journal.os.write

    def half(descriptor: int, line: bytes) -> int:
        return whole(descriptor, line[: len(line) // 2])

    monkeypatch.setattr("trainables.storage.journal.os.write", half)
    with pytest.raises(OSError, match="No space left"):
        journal.append(path, "two")
    monkeypatch.undo()
    assert [event["event"] for event in journal.read(path)] == ["one"]
    journal.append(path, "three")
    assert [event["event"] for event in journal.read(path)] == ["one", "three"]
