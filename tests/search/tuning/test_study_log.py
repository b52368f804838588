"""A study that is ahead of its journal, as a store may have them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.records.record import RunRecord
from search.tuning.study import Asked
from search.tuning.study_log import cut_back
from tests.search.tuning.test_study import Session, kernels


class Watched(Session):
    """A session that keeps what the files were after every step."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, num_startup_trials=100)
        self.folder, self.snapshots = folder, []
        self.note()

    def note(self) -> None:
        journal = self.folder / "journal.jsonl"
        lines = journal.read_bytes() if journal.exists() else b""
        self.snapshots.append((lines, self.path.read_bytes()))


def play(folder: Path) -> Watched:
    """Two trials at a time: asked, reported on twice, ended; one is stopped."""
    session = Watched(folder)
    for number in range(3):
        session.ask()
        session.note()
        session.report(number, 1, 0.1)
        session.note()
        if number:
            session.report(number - 1, 2, 0.2)
            session.note()
            session.end(number - 1, *(("stopped",) if number == 2 else ()))
            session.note()
    return session


def restored(folder: Path, journal: bytes, study: bytes) -> Session:
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(journal)
    (folder / "study.log").write_bytes(study)
    cut_back(folder / "study.log", RunRecord.read(folder / "journal.jsonl"))
    return Session(folder, num_startup_trials=100)


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> list[tuple[bytes, bytes]]:
    return play(tmp_path_factory.mktemp("whole") / "run").snapshots


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_however_far_ahead_the_study_goes_on_from_the_journal(snapshots, tmp_path_factory, data):
    root = tmp_path_factory.mktemp("run")
    then = data.draw(st.integers(0, len(snapshots) - 1))
    later = data.draw(st.integers(then, len(snapshots) - 1))
    session = restored(root / "again", snapshots[then][0], snapshots[later][1])
    expected = restored(root / "same", *snapshots[then])
    running = len(expected.log.record.asked) - expected.log.record.num_ended
    for _ in range(running):
        assert session.ask() == expected.ask()
    states = [trial.state for trial in expected.told]
    assert [trial.state for trial in session.told[: len(states)]] == states
    values = [trial.intermediate_values for trial in expected.told]
    assert [trial.intermediate_values for trial in session.told[: len(values)]] == values
    assert isinstance(session.ask(), Asked)


def test_a_duplicate_that_was_answered_is_known(tmp_path: Path):
    session = Session(tmp_path, kernels)
    while not session.log.record.answered:
        asked = session.ask()
        session.report(asked.number, 4, 0.1)
        session.end(asked.number)
    before = (tmp_path / "study.log").read_bytes()
    cut_back(tmp_path / "study.log", session.log.record)
    assert (tmp_path / "study.log").read_bytes() == before
