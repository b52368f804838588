"""A made-up run folder for every test that reads one."""

from pathlib import Path

import pytest

from tests.helpers.fabricate import make_run


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "made-up"
    folder.mkdir(parents=True)
    return make_run(folder)
