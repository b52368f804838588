"""Ctrl-C: once lets the epochs under way end, twice ends at once; and the run can be resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from search.records.folder import RunFolder
from search.records.record import RunLog, RunRecord
from search.tuning.interrupt import Interrupt
from search.tuning.recorder import Recorder
from search.tuning.stopping import SessionStopper
from tests.whole.test_search import SETTINGS, command, run
from trainables.command import Stopped
from trainables.storage import journal

ROOT = Path(__file__).parents[3]


@pytest.fixture
def recorder(tmp_path) -> Recorder:
    """Two trials under way, one epoch each on record."""
    folder = RunFolder(tmp_path)
    made = Recorder(folder, RunLog(folder.journal), SessionStopper())
    for number in (0, 1):
        made.log.write("started", trial=number, config={}, params={})
        made.log.write("reported", trial=number, report={"epoch": 1, "val_macro_f1": 0.5})
        made.under_way.add(number)
    return made


@pytest.mark.parametrize(
    ("signum", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_the_first_signal_waits_for_the_epochs_under_way(recorder, signum, name, capsys):
    stopper = recorder.stopper
    with Interrupt(stopper, recorder, go_on="this way"):
        assert not stopper.stop_all()
        os.kill(os.getpid(), signum)
        assert not stopper.stop_all()
        assert f"when 2 epochs under way are done; {name} again" in capsys.readouterr().out
        recorder.log.write("reported", trial=0, report={"epoch": 2, "val_macro_f1": 0.5})
        assert not stopper.stop_all()
        recorder.log.write("finished", trial=1)  # an end is as good as an epoch
        recorder.under_way.discard(1)
        assert stopper.stop_all()
    with pytest.raises(Stopped, match=f"by {name}, after whole epochs; this way") as stopped:
        stopper.raise_if_stopped_by_the_user()
    assert stopped.value.signum == signum
    assert not stopper.is_fault


def test_the_second_signal_ends_at_once(recorder):
    with Interrupt(recorder.stopper, recorder, go_on="this way"):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped, match="at once; this way"):
            signal.raise_signal(signal.SIGINT)
    assert not recorder.stopper.stop_all()


def test_the_handlers_that_were_there_come_back(recorder):
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    with Interrupt(recorder.stopper, recorder, go_on=""):
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_reason_to_halt_is_not_the_users(recorder):
    with Interrupt(recorder.stopper, recorder, go_on=""):
        recorder.stopper.stop("the time is up")
        os.kill(os.getpid(), signal.SIGINT)
        assert recorder.stopper.stop_all()
    recorder.stopper.raise_if_stopped_by_the_user()
    assert recorder.stopper.reason == "the time is up"


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(450)
def test_a_search_that_ctrl_c_has_stopped_goes_on_to_the_same_numbers(tmp_path):
    """As a terminal does it: the signal reaches every process of the group."""
    flags = [*SETTINGS, "--num-trials", "1", "--finetune-epochs", "4"]
    told = tmp_path / "told.txt"
    with told.open("w") as out:
        process = subprocess.Popen(
            command(tmp_path, *flags), cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )
    folder = RunFolder(tmp_path / "tiny")
    deadline = time.monotonic() + 300
    while not RunRecord.read(folder.journal).reports:
        assert process.poll() is None, told.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) == 130, told.read_text()
    last = told.read_text().splitlines()[-1]
    assert last.startswith("stopped: by Ctrl-C, after whole epochs; go on with ")
    assert "Traceback" not in told.read_text()

    stopped = RunRecord.read(folder.journal)
    assert 2 <= len(stopped.reports) < 5
    assert [event["event"] for event in journal.read(folder.journal)][-2:] == [
        *("halted", "session_ended"),
    ]
    go_on = last.partition("go on with ")[2].split()[1:]
    resumed = run([sys.executable, *go_on])
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    after = RunRecord.read(folder.journal)
    assert after.reports[: len(stopped.reports)] == stopped.reports

    again = run([sys.executable, "-m", "search.rerun", str(folder.root), "0"])  # undisturbed
    assert again.returncode == 0, again.stdout + again.stderr
    assert pd.read_parquet(folder.trials_table)["status"].tolist() == ["finished"]
